/** `--param METHOD.NAME=VALUE`: parameters of single OOD methods. */
import { assertParameters } from "../neco/parameters.ts";
import type { MethodParams, ParamValue } from "../neco/options.ts";
import { findScore, scores } from "../neco/registry.ts";
import { UsageError } from "../util/errors.ts";

const asValue = (text: string): ParamValue => {
  if (text === "true" || text === "false") return text === "true";
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
};

/**
 * The parameters that a list of such texts gives, by method; of two for one parameter the last.
 * @throws UsageError if a text has another form, or names what no method has.
 */
export function methodParams(texts: readonly string[]): MethodParams {
  const params: Record<string, Record<string, ParamValue>> = {};
  for (const text of texts) {
    const [, method, name, value] = /^([^.=]+)\.([^.=]+)=(.+)$/.exec(text) ?? [];
    if (method === undefined || name === undefined || value === undefined)
      throw new UsageError(
        `--param takes METHOD.NAME=VALUE, such as react.quantile=0.95; got ${text}`,
      );
    (params[findScore(method).name] ??= {})[name] = asValue(value);
  }
  assertParameters(scores, params);
  return params;
}
