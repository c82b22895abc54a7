import { uploadsOf } from '../../services/gateway/test/support/uploads.ts';

/** Does something for each of `count` numbers, from 1 on, for so many at once. */
export async function eachOf(count: number, atOnce: number, work: (number: number) => Promise<void>): Promise<void> {
  let next = 1;
  const worker = async (): Promise<void> => {
    while (next <= count) await work(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** Uploads an object of so many parts, each as `bodyOf` gives it. */
export async function uploadParts(
  url: string,
  bucket: string,
  key: string,
  parts: number,
  atOnce: number,
  bodyOf: (number: number) => Uint8Array,
): Promise<void> {
  const uploads = uploadsOf(url, bucket);
  const id = await uploads.create(key);
  const named: Awaited<ReturnType<typeof uploads.part>>[] = [];
  await eachOf(parts, atOnce, async (number) => {
    named[number - 1] = await uploads.part(key, id, number, bodyOf(number));
  });
  const done = await uploads.complete(key, id, named);
  if (done.status !== 200) throw new Error(`the completion: ${done.status} ${done.text}`);
}
