/**
 * A RabbitMQ node of its own for one run of the bench: a name, ports, a folder and a port mapper (epmd) that no other node
 * has, and no plugins. It takes seconds to start, so one serves all runs, each with a queue of its own.
 */

import { execFile } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { connect } from "amqplib"
import { freePort, type Server, start } from "./server.js"

const startLimitMs = 60_000
const run = promisify(execFile)

/** Debian's programs on the path change to another user; those that they call do not. */
const debian = "/usr/lib/rabbitmq/bin"
const program = (name: string) => (existsSync(join(debian, name)) ? join(debian, name) : name)

export class RabbitNode {
  private queues = 0

  private constructor(
    readonly port: number,
    /** Of the virtual machine; the program that starts it is a script. */
    readonly pid: number,
    readonly version: string,
    private readonly servers: readonly Server[],
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /** Throws when none is installed, or it does not start. */
  static async start(root: string): Promise<RabbitNode> {
    const folder = mkdtempSync(join(root, "rabbitmq-"))
    const [port, distribution, mapper] = [await freePort(), await freePort(), await freePort()]
    const at = (name: string) => join(folder, name)
    for (const name of ["data", "log", "plugins", "home"]) mkdirSync(at(name))
    writeFileSync(at("enabled_plugins"), "[].\n")
    // By its default it stops to accept messages where the disk has less room than this.
    writeFileSync(at("rabbitmq.conf"), "disk_free_limit.absolute = 50MB\n")
    const env = {
      ...process.env,
      HOME: at("home"), // The cookie of the node is there.
      ERL_EPMD_PORT: String(mapper),
      ERL_EPMD_ADDRESS: "127.0.0.1",
      RABBITMQ_NODENAME: `peerlane-bench-${process.pid}@localhost`,
      RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
      RABBITMQ_NODE_PORT: String(port),
      RABBITMQ_DIST_PORT: String(distribution),
      RABBITMQ_MNESIA_BASE: at("data"),
      RABBITMQ_LOG_BASE: at("log"),
      RABBITMQ_PLUGINS_EXPAND_DIR: at("plugins"),
      RABBITMQ_ENABLED_PLUGINS_FILE: at("enabled_plugins"),
      RABBITMQ_FEATURE_FLAGS_FILE: at("feature_flags"),
      RABBITMQ_PID_FILE: at("pid"),
      RABBITMQ_CONFIG_FILE: at("rabbitmq.conf"),
      RABBITMQ_ADVANCED_CONFIG_FILE: at("advanced.config"),
      RABBITMQ_CONF_ENV_FILE: at("rabbitmq-env.conf"),
    }
    const servers = [start("epmd", "epmd", ["-port", String(mapper), "-address", "127.0.0.1"], env)]
    try {
      await servers[0]!.listening(mapper, startLimitMs)
      const server = start("rabbitmq-server", program("rabbitmq-server"), [], env)
      servers.unshift(server)
      await server.listening(port, startLimitMs)
      const connection = await connect(address(port))
      const { version } = connection.connection.serverProperties
      await connection.close()
      return new RabbitNode(port, Number(readFileSync(at("pid"), "utf8")), version, servers, env)
    } catch (error) {
      for (const server of servers) await server.stop()
      throw error
    }
  }

  /** Runs `body` with the name of a queue; it is gone behind it. */
  async withQueue<T>(body: (name: string) => Promise<T>): Promise<T> {
    const name = `jobs-${++this.queues}`
    try {
      return await body(name)
    } finally {
      const connection = await connect(address(this.port))
      const channel = await connection.createChannel()
      await channel.deleteQueue(name)
      await connection.close()
    }
  }

  /** What the node holds: by its own account, and resident. */
  async memory(): Promise<{ live: number; resident: number }> {
    const account =
      'io:format("~w ", [erlang:memory(total)]), io:put_chars(os:cmd("grep VmRSS /proc/" ++ os:getpid() ++ "/status")).'
    const { stdout } = await run(program("rabbitmqctl"), ["eval", account], { env: this.env })
    const [, live, kilobytes] = /(\d+)\s+VmRSS:\s+(\d+) kB/.exec(stdout) ?? []
    return { live: Number(live), resident: Number(kilobytes) * 1024 }
  }

  async stop(): Promise<void> {
    for (const server of this.servers) await server.stop()
  }
}

const address = (port: number) => `amqp://guest:guest@127.0.0.1:${port}`
