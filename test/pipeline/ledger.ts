/**
 * What the simulator holds a pipeline to, written down from outside: what was accepted, handed out, confirmed, handled, and
 * given up, in simulated time. It knows the wire and the public API, nothing of the insides.
 */
import type { Sockets } from "../../patterns/typed/sockets.js"

type Message = (Uint8Array | string)[]

/** A socket that shows what it is given to send. */
function watched<S extends Sockets["Router"] | Sockets["Dealer"]>(Base: S, look: (message: Message) => void): S {
  class Watched {
    constructor(options?: object) {
      const socket = new Base(options)
      const send = socket.send.bind(socket)
      socket.send = message => {
        look(message)
        return send(message)
      }
      // biome-ignore lint/correctness/noConstructorReturn: a socket of either engine, with one method changed
      return socket
    }
  }
  return Watched as unknown as S
}

/** A job as the scenario sends it. */
export interface Task {
  readonly id: string
  readonly key: string | null
  /** Its number among those of its key. */
  readonly n: number
  /** Fails each time. */
  readonly poison: boolean
}

export class Ledger {
  readonly accepted = new Map<string, Task>()
  readonly dead = new Set<string>()
  /** By `id`, or `id group`: how often a handler has ended well. */
  readonly handled = new Map<string, number>()
  readonly faults: string[] = []
  /** By `id group`: its end is on disk, as the producer has told a consumer. */
  private readonly confirmed = new Set<string>()
  /** Tags of which a consumer said ACK, and its group. */
  private readonly acked = new Map<string, string>()
  /** Of each tag, whose hand-out it is. */
  private readonly jobOf = new Map<string, string>()
  /** The number of the last one of a key that has ended, by group. */
  private readonly lastOf = new Map<string, number>()
  handOuts = 0

  violation(text: string): void {
    this.faults.push(text)
  }

  /** Sockets that write down which jobs a producer hands out and which ends it confirms, and what a consumer of a group acks. */
  watching({ Router, Dealer }: Sockets, group = ""): Sockets {
    return {
      Router: watched(Router, message => this.onProducer(message)),
      Dealer: watched(Dealer, message => this.onConsumer(message, group)),
    }
  }

  private onConsumer([command, what]: Message, group: string): void {
    if (String(command) !== "PL1 ACK") return
    for (const tag of String(what).split(" ")) this.acked.set(tag, group)
  }

  private onProducer([, command, what]: Message): void {
    const name = String(command)
    if (name === "PL1 JOB") {
      for (const { tag, id } of JSON.parse(String(what)) as { tag: string; id: string }[]) this.onHandOut(tag, id)
    } else if (name === "PL1 DONE") {
      for (const tag of String(what).split(" ")) this.onConfirmed(tag)
    }
  }

  private onHandOut(tag: string, id: string): void {
    this.handOuts++
    this.jobOf.set(tag, id)
    const groups = this.groupsOf.get(id) ?? [""]
    if (groups.every(group => this.confirmed.has(`${id} ${group}`))) {
      this.violation(`${id} is handed out after its end was confirmed`)
    }
  }

  private onConfirmed(tag: string): void {
    const id = this.jobOf.get(tag)
    if (id === undefined) this.violation(`${tag} is confirmed and was never handed out`)
    const group = this.acked.get(tag)
    if (group !== undefined) this.confirmed.add(`${id} ${group}`)
  }

  private readonly groupsOf = new Map<string, readonly string[]>()

  /** @param groups Those that are to do it. */
  accept(task: Task, groups: readonly string[]): void {
    this.accepted.set(task.id, task)
    this.groupsOf.set(task.id, groups)
  }

  begin(task: Task, group: string): void {
    if (task.key === null) return
    const last = this.lastOf.get(`${task.key} ${group}`) ?? -1
    if (task.n > last + 1) this.violation(`${task.id} of the key ${task.key} is begun when ${last} was the last to end`)
  }

  end(task: Task, group: string): void {
    const name = `${task.id} ${group}`
    this.handled.set(name, (this.handled.get(name) ?? 0) + 1)
    this.advance(task, group)
  }

  die(id: string, group: string, task: Task | undefined): void {
    this.dead.add(`${id} ${group}`)
    if (task !== undefined) this.advance(task, group)
  }

  private advance({ key, n }: Task, group: string): void {
    if (key === null) return
    const name = `${key} ${group}`
    this.lastOf.set(name, Math.max(this.lastOf.get(name) ?? -1, n))
  }

  /** Everything has come to rest: nothing that was accepted may be missing. */
  close(): void {
    for (const { id } of this.accepted.values()) {
      for (const group of this.groupsOf.get(id)!) {
        const name = `${id} ${group}`
        if (!this.handled.has(name) && !this.dead.has(name)) this.violation(`${name} was accepted and is lost`)
      }
    }
  }
}
