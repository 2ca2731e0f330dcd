/** The first of the items comes off the stack first. A loop: a call takes no more than about 120 000 arguments. */
export function pushAll<T>(stack: T[], items: readonly T[]): void {
  for (let i = items.length - 1; i >= 0; i--) stack.push(items[i] as T);
}
