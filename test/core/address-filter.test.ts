/** Ranges of addresses: what is one, and which addresses are in it, IPv4 written as IPv6 included. */
import { describe, expect, it } from "vitest"
import { AddressFilter } from "../../src/core/address-filter.js"

describe("a range", () => {
  it.each([
    ["127.0.0.1", ["127.0.0.1", "::ffff:127.0.0.1"], ["127.0.0.2", "::1", "::127.0.0.1"]],
    ["127.0.0.1/32", ["127.0.0.1"], ["127.0.0.0", "127.0.0.3"]],
    ["10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["11.0.0.0", "9.255.255.255"]],
    ["172.16.5.9/12", ["172.16.0.0", "172.31.255.255"], ["172.15.255.255", "172.32.0.0"]],
    ["0.0.0.0/0", ["1.2.3.4", "::ffff:9.9.9.9"], ["::1", "2001:db8::1"]],
    ["::/0", ["::1", "1.2.3.4"], []],
    ["::1", ["::1", "0:0:0:0:0:0:0:1"], ["::2", "127.0.0.1"]],
    ["fe80::/10", ["fe80::1", "febf::1", "fe80::1%eth0"], ["fec0::1", "fe00::1"]],
    ["2001:db8:1::/47", ["2001:db8::1", "2001:db8:1:ffff::"], ["2001:db8:2::"]],
    ["::ffff:10.0.0.0/104", ["10.4.5.6"], ["11.4.5.6"]],
  ])("%s has %j and not %j", (range, inside, outside) => {
    const filter = new AddressFilter([range])
    for (const address of inside) expect([address, filter.admits(address)]).toEqual([address, true])
    for (const address of outside) expect([address, filter.admits(address)]).toEqual([address, false])
  })

  it("is enough if it is one of several", () => {
    const filter = new AddressFilter(["10.0.0.0/8", "::1"])
    expect(["10.1.1.1", "::1", "11.1.1.1"].map(address => filter.admits(address))).toEqual([true, true, false])
  })

  it.each([
    "",
    "foo",
    "0.0.0.0foo",
    "/foo",
    "/",
    "/-1",
    "/33",
    "127.0.0.1/",
    "127.0.0.1/33",
    "127.0.0.1/-1",
    "127.0.0.1/8/8",
    "127.0.0",
    "127.0.0.256",
    "::1/129",
    ":::1",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "12345::",
    "::g",
    "1:2:3:4:5:6:7::8",
    "1.2.3.4::",
    "::1.2.3",
    "localhost",
    "*",
    " 127.0.0.1",
  ])("is not %j", text => {
    expect(() => new AddressFilter([text])).toThrow(expect.objectContaining({ code: "EINVAL" }))
  })

  it("has no address that is none", () => {
    for (const address of ["", "localhost", "1.2.3"]) expect(new AddressFilter(["::/0"]).admits(address)).toBe(false)
  })
})
