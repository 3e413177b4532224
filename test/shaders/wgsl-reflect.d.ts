/** The package's entry for Node's require breaks under ESM; its module file has no types of its own. */
declare module "wgsl_reflect/wgsl_reflect.module.js" {
  export * from "wgsl_reflect";
}
