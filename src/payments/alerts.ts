/**
 * Logs an alert for the operator, because money is involved and nobody else will notice. `details` names ids and codes,
 * never keys or personal data.
 */
export const alert = (message: string, details: Readonly<Record<string, unknown>>): void =>
  console.error({ message, alert: "payments", ...details });
