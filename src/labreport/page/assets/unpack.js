/** Return the text of a data block, of this file or of `page`: base64 of raw deflate of UTF-8. */
export async function unpackText(id, page = document) {
  // what something follows has been read to its end
  if (page.readyState === "loading" && !page.getElementById(id)?.nextElementSibling) await isRead(page);
  const block = page.getElementById(id);
  if (block === null) throw new Error(`this page has no block "${id}"`);
  const { readable, writable } = new DecompressionStream("deflate-raw");
  const writer = writable.getWriter(); // the stream of a Blob would go through another process of the browser
  writer.write(bytesOf(block.textContent.trim())).then(() => writer.close()).catch(() => {}); // the reader hears of it
  // a Response reads a stream to its end; nothing is fetched
  return new Response(readable).text();
}

const isRead = (page) => new Promise((done) => { page.addEventListener("DOMContentLoaded", done, { once: true }); });

function bytesOf(base64) {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i += 1) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
