import { Component, type FunctionComponent } from "preact";

/** Drawn again only when one of its properties is another than before. */
export function memo<Properties extends object>(
  draw: FunctionComponent<Properties>,
): FunctionComponent<Properties> {
  class Memo extends Component<Properties> {
    override shouldComponentUpdate(next: Properties): boolean {
      const [before, after] = [
        this.props as Readonly<Record<string, unknown>>,
        next as Readonly<Record<string, unknown>>,
      ];
      return Object.keys(after).some((name) => after[name] !== before[name]);
    }

    override render(properties: Properties) {
      return draw(properties);
    }
  }
  return Memo as unknown as FunctionComponent<Properties>;
}
