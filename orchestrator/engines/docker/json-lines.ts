import { StringDecoder } from "node:string_decoder";

/** The values of a stream with one JSON value in each line. What is there must be of type `T`: it is not looked at. */
export async function* jsonLines<T>(stream: NodeJS.ReadableStream): AsyncGenerator<T, void, undefined> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.write(Buffer.from(chunk))).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield JSON.parse(line) as T;
  }
  if (rest.trim() !== "") yield JSON.parse(rest) as T;
}
