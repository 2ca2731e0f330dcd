/** Most directories of a tree have the same few attributes: what was read is not read again. */

/** So many answers are kept; when there are more, all go. */
const KEPT = 256;

export function remembered<Key, Value>(read: (key: Key) => Value): (key: Key) => Value {
  const known = new Map<Key, Value>();
  return (key) => {
    const before = known.get(key);
    if (before !== undefined) return before;
    const value = read(key);
    if (known.size >= KEPT) known.clear();
    known.set(key, value);
    return value;
  };
}
