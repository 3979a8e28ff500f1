/**
 * The surface against that of the `zeromq` package: every class, member, type and constructor parameter. Types are compared
 * member by member, both ways, when this file is type-checked; classes as such are not, as protected members make them
 * nominal. What differs stands in a list with its reason.
 */
import { expect, it } from "vitest"
import * as theirs from "zeromq"
import * as ours from "../patterns/index.js"

/** Members of `To` that a `From` could not stand in for. */
type Differ<From, To> = { [K in keyof To]-?: K extends keyof From ? (From[K] extends To[K] ? never : K) : K }[keyof To]
/** The same only of those that both have. */
type Common<From, To> = Differ<From, Pick<To, keyof From & keyof To>>
type Options<C extends new (...args: never[]) => unknown> = Omit<
  NonNullable<ConstructorParameters<C>[0]>,
  "context" | "securityMechanism"
>

type Names = keyof typeof ours & keyof typeof theirs
type SocketName = Extract<
  Names,
  | "Dealer"
  | "Pair"
  | "Publisher"
  | "Pull"
  | "Push"
  | "Reply"
  | "Request"
  | "Router"
  | "Subscriber"
  | "XPublisher"
  | "XSubscriber"
>
type Ours = { [N in SocketName]: InstanceType<(typeof ours)[N]> }
type Theirs = { [N in SocketName]: InstanceType<(typeof theirs)[N]> }

/** Classes of their own, compared on their own. */
type Nominal = "context" | "events"
/** Resolves when all is sent; theirs is void, so that a promise may stand in for it but not the other way round. */
type Better = "close"
/** Of any type of event, which TypeScript does not compare before it is known; the events are compared one by one. */
type Generic = "on" | "off"
/** Null only, until other mechanisms are there. */
type Narrower = "securityMechanism"

/** Compiles only for the type that says that nothing differs. */
const nothing = <T>(..._proof: [T] extends [never] ? [] : [T]) => {}

it("has the types of zeromq, both ways", () => {
  nothing<{ [N in SocketName]: Exclude<Differ<Ours[N], Theirs[N]>, Nominal> }[SocketName]>()
  nothing<{ [N in SocketName]: Exclude<Common<Theirs[N], Ours[N]>, Nominal | Better | Narrower> }[SocketName]>()
  nothing<{ [N in SocketName]: Differ<Options<(typeof ours)[N]>, Options<(typeof theirs)[N]>> }[SocketName]>()
  nothing<{ [N in SocketName]: Common<Options<(typeof theirs)[N]>, Options<(typeof ours)[N]>> }[SocketName]>()
  nothing<Differ<ours.Context, theirs.Context>>()
  nothing<Common<theirs.Context, ours.Context>>()
  nothing<Exclude<Differ<ours.Observer, theirs.Observer>, Generic>>()
  nothing<Exclude<ours.EventType, theirs.EventType> | Exclude<theirs.EventType, ours.EventType>>()
  nothing<{ [T in ours.EventType]: Differ<ours.EventOfType<T>, theirs.EventOfType<T>> }[ours.EventType]>()
  expect(Object.keys(ours)).toEqual(expect.arrayContaining(["Push", "Context", "Observer"]))
})

const NOT_THERE_YET = ["Stream", "curveKeyPair"]

it("exports what zeromq exports", () => {
  const missing = Object.keys(theirs).filter(name => !(name in ours) && name !== "default" && name !== "module.exports")
  expect(missing.sort()).toEqual(NOT_THERE_YET)
})
