/**
 * Conversations about users, line by line as a person would type them, between servers and several clients: every error
 * of every sub-command, logging in and out, ACL LOG, and what a change does to those who are connected.
 *
 *   admin> ACL SETUSER alice on >secret       admin is logged in as the default user
 *   a> AUTH alice secret                      any other name is a connection that is opened when it first speaks
 */
export interface Conversation {
  readonly name: string;
  readonly text: string;
}

export const CONVERSATIONS: readonly Conversation[] = [
  {
    name: "wrong numbers of words",
    text: `
      admin> ACL
      admin> ACL NOSUCH
      admin> acl nosuch x y
      admin> ACL CAT a b
      admin> ACL WHOAMI x
      admin> ACL USERS x
      admin> ACL LIST x
      admin> ACL GETUSER
      admin> ACL GETUSER a b
      admin> ACL DELUSER
      admin> ACL SETUSER
      admin> ACL GENPASS 1 2
      admin> ACL LOG a b
      admin> ACL SAVE x
      admin> ACL LOAD x
      admin> ACL DRYRUN
      admin> ACL DRYRUN default
      admin> ACL HELP x
      admin> ACL SETUSER|x
      admin> ACL "SETUSER\\x00" a
      admin> AUTH
      admin> AUTH a b c
      admin> HELLO 3 AUTH
      admin> HELLO 3 AUTH a
      admin> HELLO 2 SETNAME
      admin> HELLO 2 NONSENSE`,
  },
  {
    name: "users that are there and users that are not",
    text: `
      admin> ACL WHOAMI
      admin> ACL USERS
      admin> ACL GETUSER default
      admin> ACL GETUSER nobody
      admin> ACL GETUSER ""
      admin> ACL SETUSER alice
      admin> ACL GETUSER alice
      admin> ACL GETUSER Alice
      admin> ACL SETUSER "a b"
      admin> ACL SETUSER "a\\x00b"
      admin> ACL SETUSER ""
      admin> ACL USERS
      admin> ACL DELUSER nobody
      admin> ACL DELUSER alice alice "" nobody
      admin> ACL DELUSER default
      admin> ACL DELUSER nobody default
      admin> ACL DELUSER alice
      admin> ACL USERS`,
  },
  {
    name: "categories",
    text: `
      admin> ACL CAT
      admin> ACL CAT nosuch
      admin> ACL CAT @read
      admin> ACL CAT ""
      admin> ACL CAT hash,set`,
  },
  {
    name: "passwords that are to be made",
    text: `
      admin> ACL GENPASS 0
      admin> ACL GENPASS -1
      admin> ACL GENPASS 4097
      admin> ACL GENPASS x
      admin> ACL GENPASS ""
      admin> ACL GENPASS 1.5
      admin> ACL GENPASS 99999999999999999999`,
  },
  {
    name: "errors of rules, all or nothing (F26, F27)",
    text: `
      admin> ACL SETUSER alice on ~a +get
      admin> ACL SETUSER alice off ~b +nosuch
      admin> ACL SETUSER alice off +@nosuch
      admin> ACL SETUSER alice off -nosuch
      admin> ACL SETUSER alice off +config|nosuch
      admin> ACL SETUSER alice off +config|get|x
      admin> ACL SETUSER alice off -get|x
      admin> ACL SETUSER alice off +get|
      admin> ACL SETUSER alice off nonsense
      admin> ACL SETUSER alice off (~a
      admin> ACL SETUSER alice off (~a +get
      admin> ACL SETUSER alice off (on)
      admin> ACL SETUSER alice off "line\\r\\nend"
      admin> ACL SETUSER alice off "~a b"
      admin> ACL SETUSER alice off %~a
      admin> ACL SETUSER alice off %X~a
      admin> ACL SETUSER alice off #abc
      admin> ACL SETUSER alice off ~* ~b
      admin> ACL SETUSER alice off &* &b
      admin> ACL GETUSER alice
      admin> ACL DELUSER alice`,
  },
  {
    name: "passwords that are added and removed (F30)",
    text: `
      admin> ACL SETUSER alice on >one >two >one ~* +@all
      admin> ACL GETUSER alice
      a> AUTH alice one
      a> ACL WHOAMI
      a> AUTH alice two
      a> AUTH alice three
      a> ACL WHOAMI
      admin> ACL SETUSER alice <two
      admin> ACL SETUSER alice <two
      b> AUTH alice two
      b> AUTH alice one
      admin> ACL SETUSER alice #35224d0d3465d74e855f8d69a136e79c744ea35a675d3393360a327cbf6359a2
      b> AUTH alice secret2
      b> ACL WHOAMI
      admin> ACL SETUSER alice !35224d0d3465d74e855f8d69a136e79c744ea35a675d3393360a327cbf6359a2
      admin> ACL SETUSER alice !35224d0d3465d74e855f8d69a136e79c744ea35a675d3393360a327cbf6359a2
      b> AUTH alice secret2
      admin> ACL SETUSER alice resetpass
      b> AUTH alice one
      b> AUTH alice ""
      admin> ACL SETUSER alice nopass
      b> AUTH alice whatever
      b> ACL WHOAMI
      admin> ACL GETUSER alice
      admin> ACL DELUSER alice`,
  },
  {
    name: "logging in and out (F3, F5, F6, F10, F11, F12, F13)",
    text: `
      admin> ACL SETUSER alice on >secret ~a* +get +set +acl|whoami +client|getname
      admin> ACL SETUSER bob off >secret ~* +@all
      a> AUTH secret
      a> ACL WHOAMI
      a> AUTH alice wrong
      a> AUTH nobody secret
      a> AUTH bob secret
      a> AUTH ALICE secret
      a> ACL WHOAMI
      a> HELLO 3 AUTH alice wrong SETNAME early
      a> GET nothing-in-resp2
      a> HELLO 3 AUTH alice secret SETNAME me
      a> ACL WHOAMI
      a> CLIENT GETNAME
      a> GET a
      a> GET b
      a> SET b 1
      a> DEL a
      a> CLIENT ID
      a> AUTH default any
      a> ACL WHOAMI
      a> DEL a
      a> AUTH alice secret
      a> RESET
      a> ACL WHOAMI
      a> HELLO 4 AUTH alice secret
      a> ACL WHOAMI
      a> HELLO 2 SETNAME "a b" AUTH alice secret
      a> ACL WHOAMI
      a> HELLO 2 AUTH alice secret AUTH default any
      a> ACL WHOAMI
      admin> ACL DELUSER alice bob`,
  },
  {
    // What becomes of the connection that sets it differs on purpose: README.md.
    name: "a password for the default user, before which nothing runs (F2, F4, F5, F12)",
    text: `
      admin> CONFIG SET requirepass sesame
      a> PING
      a> GET a
      a> DBSIZE
      a> ACL WHOAMI
      a> ACL NOSUCH
      a> NOSUCH
      a> GET
      a> HELLO
      a> HELLO 3
      a> HELLO 3 SETNAME me
      a> AUTH wrong
      a> AUTH default wrong
      a> HELLO 3 AUTH default wrong
      a> PING
      a> RESET
      a> AUTH sesame
      a> ACL WHOAMI
      a> PING
      a> AUTH wrong
      a> PING
      a> RESET
      a> PING
      a> AUTH default sesame
      a> ACL GETUSER default
      a> CONFIG SET requirepass ""
      b> PING
      b> AUTH any
      b> AUTH default any
      b> ACL GETUSER default`,
  },
  {
    name: "the log of denials",
    text: `
      admin> ACL LOG RESET
      admin> ACL LOG
      admin> ACL SETUSER alice on nopass ~a* &x +@all -del -@admin +acl|whoami
      a> CLIENT SETNAME logged
      a> AUTH alice x
      a> DEL a
      a> GET b
      a> GET b
      a> GET c
      a> MGET a b c
      a> CONFIG GET port
      a> AUTH nobody x
      a> AUTH nobody x
      a> HELLO 2 AUTH nobody x
      admin> ACL LOG
      admin> ACL LOG 2
      admin> ACL LOG 0
      admin> ACL LOG -1
      admin> ACL LOG x
      admin> ACL LOG 1.5
      admin> ACL LOG reset
      admin> ACL LOG
      admin> ACL DELUSER alice`,
  },
  {
    name: "how many denials are kept",
    text: `
      admin> ACL LOG RESET
      admin> CONFIG GET acllog-max-len
      admin> CONFIG SET acllog-max-len 2
      admin> ACL SETUSER alice on nopass ~a +get
      a> AUTH alice x
      a> GET b
      a> GET c
      a> GET d
      admin> ACL LOG
      admin> CONFIG SET acllog-max-len 0
      a> GET e
      admin> ACL LOG
      admin> CONFIG SET acllog-max-len 128
      admin> ACL LOG RESET
      admin> ACL DELUSER alice`,
  },
  {
    name: "ACL DRYRUN",
    text: `
      admin> ACL SETUSER alice ~a %R~r %W~w +get +set +copy +object|encoding +getex +mset -@dangerous
      admin> ACL DRYRUN nobody get a
      admin> ACL DRYRUN alice nosuch
      admin> ACL DRYRUN alice nosuch a b
      admin> ACL DRYRUN alice get
      admin> ACL DRYRUN alice get a
      admin> ACL DRYRUN alice GET b
      admin> ACL DRYRUN alice get r
      admin> ACL DRYRUN alice get w
      admin> ACL DRYRUN alice set w 1
      admin> ACL DRYRUN alice set w 1 GET
      admin> ACL DRYRUN alice set r 1
      admin> ACL DRYRUN alice copy r w
      admin> ACL DRYRUN alice copy w r
      admin> ACL DRYRUN alice mset a 1 b
      admin> ACL DRYRUN alice mset a 1 b 2
      admin> ACL DRYRUN alice object
      admin> ACL DRYRUN alice object encoding a
      admin> ACL DRYRUN alice object nosuch a
      admin> ACL DRYRUN alice object freq a
      admin> ACL DRYRUN alice flushall
      admin> ACL DRYRUN alice auth x
      admin> ACL DRYRUN alice hello
      admin> ACL DRYRUN alice reset
      admin> ACL DRYRUN default flushall
      admin> ACL DELUSER alice`,
  },
  {
    name: "first arguments and sub-commands that were allowed (D9, F25)",
    text: `
      admin> ACL SETUSER alice on nopass ~* +@all -acl +acl|whoami -config +config|get -select +select|0
      a> AUTH alice x
      a> ACL WHOAMI
      a> ACL USERS
      a> CONFIG GET databases
      a> CONFIG SET timeout 0
      a> SELECT 0
      a> SELECT 1
      a> CONFIG
      a> ACL
      a> CONFIG NOSUCH
      admin> ACL SETUSER alice -@all +@connection -client|id
      a> PING
      a> CLIENT ID
      a> CLIENT GETNAME
      a> GET a
      admin> ACL SETUSER alice +get|a +get|b
      a> GET a
      a> GET b
      a> GET c
      admin> ACL SETUSER alice -get
      a> GET a
      admin> ACL GETUSER alice
      admin> ACL DELUSER alice`,
  },
  {
    name: "rights that change under those who have them (F42, F43)",
    text: `
      admin> ACL SETUSER alice on nopass ~* +get
      admin> ACL SETUSER bob on nopass ~* +get
      a> AUTH alice x
      b> AUTH bob x
      a> GET k
      a> SET k 1
      admin> ACL SETUSER alice +set
      a> SET k 1
      b> SET k 2
      admin> ACL SETUSER alice -@all
      a> GET k
      b> GET k
      admin> ACL SETUSER alice +@all resetkeys ~other
      a> GET k
      a> GET other
      admin> ACL DELUSER alice bob`,
  },
  {
    name: "selectors",
    text: `
      admin> ACL SETUSER alice on nopass ~own* +@all -@dangerous (%R~shared +get +mget) (~counter +incr)
      admin> ACL GETUSER alice
      a> AUTH alice x
      a> SET own 1
      a> GET shared
      a> SET shared 1
      a> MGET shared own
      a> INCR counter
      a> GET counter
      a> KEYS *
      admin> ACL SETUSER alice clearselectors
      a> GET shared
      a> GET own
      admin> ACL SETUSER alice reset
      admin> ACL GETUSER alice
      admin> ACL DELUSER alice`,
  },
  {
    name: "clients by their users",
    text: `
      admin> ACL SETUSER alice on nopass +@all
      a> AUTH alice x
      a> ACL WHOAMI
      admin> CLIENT KILL USER nobody
      admin> CLIENT KILL USER
      admin> CLIENT KILL USER alice
      a> PING
      admin> CLIENT KILL USER alice
      admin> ACL DELUSER alice`,
  },
  {
    name: "users that are deleted under their connections (F44)",
    text: `
      admin> ACL SETUSER alice on nopass +@all
      a> AUTH alice x
      b> AUTH alice x
      a> ACL WHOAMI
      a> ACL DELUSER alice
      b> PING
      a> PING`,
  },
];
