/** What goes wrong between nodes. Each code has one meaning; metrics and logs carry the code, people the message. */
export type PeerErrorCode =
  /** A frame announces more bytes than the limit. */
  | "frameTooLarge"
  /** A frame's bytes do not add up. */
  | "frameMalformed"
  /** A frame of a kind this version does not know. */
  | "frameUnknownKind"
  /** The first bytes are not those of a Ferrite node. */
  | "notFerrite"
  /** The other side speaks another version of the peer protocol. */
  | "protocolVersion"
  /** A frame for a group that this node does not have. */
  | "wrongGroup"
  /** A frame that has no place at this point of the conversation. */
  | "outOfOrder"
  /** A message that can not be put into a frame: a defect of the caller. */
  | "notEncodable"
  /** A certificate file can not be used. */
  | "tlsFiles"
  /** The peer's certificate is not one of the member it claims to be. */
  | "peerCertificate"
  /** The peer port can not be opened. */
  | "listen"
  /** A setting can not be used. */
  | "badOption"
  /** The network was stopped while something was waiting for it. */
  | "stopped";

export class PeerError extends Error {
  readonly code: PeerErrorCode;

  constructor(code: PeerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "PeerError";
    this.code = code;
  }
}
