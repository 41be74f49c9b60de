/*
 * A plugin for QEMU 7.2 (plugin interface 1): counts executed instructions. At every DBG #n, an
 * architectural hint without effect, it prints n, all instructions so far, and those of the vector
 * and float units among them. Only the prototypes that it uses are declared here.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
typedef uint64_t plugin_id;
struct block;
struct instruction;
extern size_t qemu_plugin_tb_n_insns(const struct block*);
extern struct instruction* qemu_plugin_tb_get_insn(const struct block*, size_t);
extern const void* qemu_plugin_insn_data(const struct instruction*);
extern size_t qemu_plugin_insn_size(const struct instruction*);
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct block*));
extern void qemu_plugin_register_vcpu_insn_exec_cb(struct instruction*, void (*)(unsigned, void*),
                                                   int, void*);
extern void qemu_plugin_register_vcpu_insn_exec_inline(struct instruction*, int, void*, uint64_t);
EXPORT int qemu_plugin_version = 1;

static uint64_t all, vector;
static FILE* out;

static void mark(unsigned cpu, void* number) {
  (void)cpu;
  fprintf(out, "%d %" PRIu64 " %" PRIu64 "\n", (int)(intptr_t)number, all, vector);
  fflush(out);
}

static void translated(plugin_id id, struct block* block) {
  size_t i, count = qemu_plugin_tb_n_insns(block);
  (void)id;
  for (i = 0; i < count; i++) {
    struct instruction* in = qemu_plugin_tb_get_insn(block, i);
    const uint16_t* half = qemu_plugin_insn_data(in);
    const int wide = qemu_plugin_insn_size(in) == 4;
    qemu_plugin_register_vcpu_insn_exec_inline(in, 0 /* add */, &all, 1);
    if (wide && (half[0] & 0xEC00) == 0xEC00)
      qemu_plugin_register_vcpu_insn_exec_inline(in, 0, &vector, 1);
    if (wide && half[0] == 0xF3AF && (half[1] & 0xFFF0) == 0x80F0)
      qemu_plugin_register_vcpu_insn_exec_cb(in, mark, 0, (void*)(intptr_t)(half[1] & 15));
  }
}

EXPORT int qemu_plugin_install(plugin_id id, const void* info, int argc, char** argv) {
  int i;
  (void)info;
  out = stderr;
  for (i = 0; i < argc; i++)
    if (!strncmp(argv[i], "out=", 4)) out = fopen(argv[i] + 4, "w");
  if (!out) return 1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  return 0;
}
