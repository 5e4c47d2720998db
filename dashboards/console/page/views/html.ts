import htm from "htm";
import { h, type VNode } from "preact";

/** Templates as Preact's elements: what is put into them is text or attributes, and never becomes HTML. */
export const html: (strings: TemplateStringsArray, ...values: unknown[]) => VNode = htm.bind<VNode>(
  h as (type: unknown, props: Record<string, unknown> | null, ...children: unknown[]) => VNode,
) as (strings: TemplateStringsArray, ...values: unknown[]) => VNode;
