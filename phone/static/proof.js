// Checks a proof of inclusion again, here, with nothing but SHA-256. Source: RFC 9162, 2.1.3.2.

const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hexOf = (bytes) => Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("");

async function parent(left, right) {
  const joined = new Uint8Array(1 + left.length + right.length);
  joined.set([1]);
  joined.set(left, 1);
  joined.set(right, 1 + left.length);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined));
}

/** Tell whether the leaf at `index` lies in the tree of `size` leaves whose root is `root`. */
export async function holds({ index, size, leaf, root, path }) {
  if (!(index >= 0 && index < size)) {
    return false;
  }
  let node = index;
  let last = size - 1;
  let hash = bytesOf(leaf);
  for (const hex of path) {
    if (last === 0) {
      return false;
    }
    const sibling = bytesOf(hex);
    if (node % 2 === 1 || node === last) {
      hash = await parent(sibling, hash);
      while (node % 2 === 0 && node !== 0) {
        node = Math.floor(node / 2);
        last = Math.floor(last / 2);
      }
    } else {
      hash = await parent(hash, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && hexOf(hash) === root;
}

/** Whether this page may use SHA-256 at all: only over https and on this machine. */
export const canCheck = () => globalThis.crypto?.subtle !== undefined;
