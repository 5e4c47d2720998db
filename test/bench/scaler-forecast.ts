import { LABELS } from "../../core/labels.ts";
import type { Figure } from "./figure.ts";
import type { Board } from "./scaler-board.ts";
import { DEFAULTS_LABELS, FLYBALL, type MakePolicy, ours } from "./scaler-policies.ts";

const PREDICT = "autoscale.predict";
const FORECAST = "flyball with forecast";
/** Traces with a day and a week in them, by the start of their names. */
const SEASONAL = ["nab_nyc_taxi", "bitbrains_vm871"];
const LEAST_SAVED_PERCENT = 75;
const MOST_ADDED_PERCENT = 3;
const MOST_ADDED_IN_VAIN_PERCENT = 1;
/** Less overload than this saved is no benefit. */
const BENEFIT_PERCENT = 5;

/** The same labels with a forecast, as soon as there is a label for it. */
export function forecastPolicies(): Readonly<Record<string, MakePolicy>> {
  const known = Object.values(LABELS).some(({ key }) => key === PREDICT);
  return known ? { [FORECAST]: ours(`${DEFAULTS_LABELS},${PREDICT}=on`, FORECAST) } : {};
}

/** What the forecast saves and costs against the same labels without it. */
export function forecastFigures(board: Board, delay: string): Figure[] {
  const [plain, forecast] = [board[FLYBALL], board[FORECAST]];
  if (plain === undefined || forecast === undefined) return [];
  const changes = Object.entries(forecast).flatMap(([trace, with_]) => {
    const without = plain[trace];
    if (without === undefined) return [];
    const saved =
      without.overloadPercent === 0 ? 0 : 100 * (1 - with_.overloadPercent / without.overloadPercent);
    return [{ trace, saved, added: 100 * (with_.cost / without.cost - 1) }];
  });
  const seasonal = changes.filter(({ trace }) => SEASONAL.some((start) => trace.startsWith(start)));
  const inVain = changes.filter(({ saved }) => saved < BENEFIT_PERCENT).map(({ added }) => added);
  return [
    ...seasonal.flatMap(({ trace, saved, added }): Figure[] => [
      {
        name: `forecast: overload saved on ${trace}, ${delay}`,
        value: saved,
        unit: "%",
        goal: { is: "at least", value: LEAST_SAVED_PERCENT },
      },
      {
        name: `forecast: cost added on ${trace}, ${delay}`,
        value: added,
        unit: "%",
        goal: { is: "at most", value: MOST_ADDED_PERCENT },
      },
    ]),
    {
      name: `forecast: most cost added where it saves nothing, ${delay}`,
      value: Math.max(0, ...inVain),
      unit: "%",
      goal: { is: "at most", value: MOST_ADDED_IN_VAIN_PERCENT },
    },
  ];
}
