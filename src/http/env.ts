/** The context of every middleware in `src/http`, independent of any feature. */
export interface HttpEnv {
  Bindings: Env;
  Variables: {
    requestId: string;
  };
}
