/**
 * A CommonJS program: require(), no await outside of functions, bound at once. The two ends of a PAIR play chess, over
 * inproc and then over tcp.
 */
import zmq = require("peerlane")

async function play(socket: zmq.Pair, moves: string[], begins: boolean): Promise<string[]> {
  const heard: string[] = []
  if (begins) await socket.send(moves.shift()!)
  for await (const [move] of socket) {
    heard.push(move!.toString())
    const next = moves.shift()
    if (next !== undefined) await socket.send(next)
    if (next === undefined || next === "resigns") break
  }
  return heard
}

async function game(address: string): Promise<void> {
  const white = new zmq.Pair()
  const black = new zmq.Pair()
  white.bindSync(address)
  black.connect(white.lastEndpoint!)
  const [heardByWhite, heardByBlack] = await Promise.all([
    play(white, ["e4", "Nf3", "Bb5", "resigns"], true),
    play(black, ["e5", "Nc6", "a6"], false),
  ])
  console.log(`${address.split(":")[0]}: ${heardByBlack.join(" ")} / ${heardByWhite.join(" ")}`)
  white.close()
  black.close()
}

async function main(): Promise<void> {
  for (const address of ["inproc://board", "tcp://127.0.0.1:*"]) await game(address)
  console.log(typeof require, zmq.version, zmq.capability.ipc)
}

void main()
