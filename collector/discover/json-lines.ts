import { StringDecoder } from "node:string_decoder";

/** The longest line of a stream: one that does not end is no line. */
const MAX_LINE_CHARACTERS = 4 * 1024 * 1024;

/** The values of a stream with one JSON value in each line. That they are of type `T` is not looked at. */
export async function* jsonLines<T>(stream: AsyncIterable<Buffer>): AsyncGenerator<T, void, undefined> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.write(chunk)).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MAX_LINE_CHARACTERS)
      throw new Error(`a line of more than ${MAX_LINE_CHARACTERS} characters`);
    for (const line of lines) if (line.trim() !== "") yield JSON.parse(line) as T;
  }
}
