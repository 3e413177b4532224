/** `npm test`: lets Node read the TypeScript sources, then hands over to run-tests.ts. */
import { register } from "tsx/esm/api";

register();
await import("./run-tests.ts");
