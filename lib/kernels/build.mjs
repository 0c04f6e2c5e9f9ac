// Compiles the AssemblyScript kernels of lib/kernels into lib/dist/kernels.wasm.
