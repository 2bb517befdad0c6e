/** The build turns style sheets into texts. */
declare module "*.css" {
  const text: string;
  export { text as default };
}
