/** What is read and kept at most. Files of certificates come from administrators, and one wrong path is all it takes. */

/** A certificate, key, passphrase or bundle of authorities. */
export const FILE_BYTES_MAX: number = 1024 * 1024;
/** Ten thousand authorities of a system's trust store are 2 MB; a bundle may be larger than one certificate. */
export const AUTHORITY_FILE_BYTES_MAX: number = 16 * 1024 * 1024;
/** About a million revoked certificates. */
export const REVOCATION_FILE_BYTES_MAX: number = 64 * 1024 * 1024;
/** In one file, and in all files of authorities together. */
export const CERTIFICATES_MAX = 10_000;
/** Files of authorities in one directory. */
export const AUTHORITY_FILES_MAX = 10_000;
export const REVOCATION_LISTS_MAX = 1000;
/** Certificates between a leaf and its authority, both included: OpenSSL's own default is 100, real chains have 4. */
export const CHAIN_LENGTH_MAX = 10;
/** Certificates that the other side sent, looked at while its chain is put together. */
export const PRESENTED_MAX = 32;
/** Issuers that are tried while one chain is put together: cross-signed authorities make several paths. */
export const CHAIN_STEPS_MAX = 100;
/** Signatures, contents and intermediate certificates that are remembered, so that they are not checked each time. */
export const REMEMBERED_MAX = 4096;
export const RSA_KEY_BITS_MIN = 2048;
/** Names in one certificate, and bytes of one of them (RFC 5280 has 64 characters for a common name). */
export const NAMES_MAX = 256;
export const NAME_BYTES_MAX = 2048;
/** The handshake in which a new certificate proves itself. It is within this process. */
export const PROOF_TIMEOUT_MS = 5000;
/** A change of a directory is waited for this long to be complete: one rotation makes many events. */
export const CHANGE_SETTLES_MS = 100;
/** Files that do not fit together are read again, this many times with these pauses, before an alarm is raised. */
export const HALF_WRITTEN_PAUSES_MS: readonly number[] = [250, 250, 500, 1000, 1000, 2000];
/** How often it is looked at what will end soon. */
export const EXPIRY_CHECK_MS: number = 3600 * 1000;
/** Links that are followed from a path to its file. */
export const LINKS_MAX = 32;
