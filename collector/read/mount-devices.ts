/** Which device is behind the numbers that `stat` gives, from a mountinfo: `254:0` → `/dev/vda`. */
export function mountDevices(text: string): Map<string, string> {
  const devices = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [front = "", back = ""] = line.split(" - ", 2);
    const numbers = front.split(" ")[2];
    const device = back.split(" ")[1];
    if (numbers !== undefined && device !== undefined && !devices.has(numbers)) devices.set(numbers, device);
  }
  return devices;
}
