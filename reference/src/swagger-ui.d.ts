// What the reference page uses of Swagger UI, whose package brings no types.
declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  interface SwaggerUi {
    readonly authActions: {
      authorize(schemes: Readonly<Record<string, object>>): void;
      logout(names: readonly string[]): void;
    };
  }
  /** Shows a description in an element. */
  export default function SwaggerUI(options: Readonly<Record<string, unknown>>): SwaggerUi;
}

// esbuild bundles styles.
declare module "*.css";
