/** Something that a test waits for, or lets others wait for. */
export function gate<T = void>(): { readonly opened: Promise<T>; open(value: T): void } {
  let open!: (value: T) => void
  const opened = new Promise<T>(resolve => {
    open = resolve
  })
  return { opened, open }
}
