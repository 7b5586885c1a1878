/* SPDX-License-Identifier: Apache-2.0 */
/* The plug-in boundary of ulpaudit: everything that a kernel library must know, in C11.
 *
 * A plug-in is a shared library that exports one symbol, `ulpaudit_plugin_entry`. It returns a
 * description of the plug-in and of its kernels; the worker process calls the kernels' `run`.
 *
 * Rules of the boundary
 *  - All buffers belong to the caller. Nothing is allocated on one side and freed on the other.
 *  - No exception, longjmp or signal crosses it. Failure is a status and a message.
 *  - Each struct starts with its own size, so that later versions can append members. A reader
 *    looks only at members that lie inside `struct_size`; a size below the version-1 size is
 *    refused.
 *  - All strings are UTF-8, zero-terminated, and live as long as the library is loaded.
 *  - `run` may be called from several threads at once.
 */
#ifndef ULPAUDIT_PLUGIN_H
#define ULPAUDIT_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised only when an old plug-in would be misread. */
#define ULPAUDIT_ABI_VERSION 1u

#define ULPAUDIT_ENTRY_SYMBOL "ulpaudit_plugin_entry"

/* Number formats: IEEE binary16, bfloat16, binary32, binary64. The values are bits of a mask. */
#define ULPAUDIT_F16 1u
#define ULPAUDIT_BF16 2u
#define ULPAUDIT_F32 4u
#define ULPAUDIT_F64 8u
#define ULPAUDIT_ALL_DTYPES 15u

/* What a kernel says about itself. Declared properties are checked. */
#define ULPAUDIT_TAG_DETERMINISTIC 1u /* same input bits, same output bits, every time        */
#define ULPAUDIT_TAG_IN_PLACE 2u      /* `out` may be the same pointer as `z`                 */
#define ULPAUDIT_TAG_ELEMENTWISE 4u   /* out[i] depends on z[i] (and y[i]) alone              */

/* Status codes of `run`. Any other value is a failure of the plug-in's own. */
#define ULPAUDIT_OK 0
#define ULPAUDIT_UNSUPPORTED 1 /* this dtype or size cannot be done here */
#define ULPAUDIT_FAILED 2

/* One call: out[i] = op(z[i]) or op(z[i], y[i]) for 0 <= i < n. */
typedef struct ulpaudit_batch {
  size_t struct_size;
  uint32_t dtype; /* exactly one of ULPAUDIT_F16 … ULPAUDIT_F64                       */
  uint32_t flags; /* 0                                                                */
  uint64_t n;     /* number of elements; with n = 0 no pointer is touched             */
  const void* z;  /* n logits                                                         */
  const void* y;  /* n labels in [0, 1] for the two-argument ops, else NULL           */
  void* out;      /* n results, every one to be written                               */
} ulpaudit_batch;

/* How long a kernel takes on a device with a memory and a clock of its own, without transfers. */
/* Not the kernel: a copy on the device of `elements` from z to out. */
#define ULPAUDIT_TIME_COPY 1u
typedef struct ulpaudit_timing {
  size_t struct_size;
  uint32_t dtype;       /* exactly one of ULPAUDIT_F16 … ULPAUDIT_F64                         */
  uint32_t flags;       /* 0 or ULPAUDIT_TIME_COPY                                            */
  uint64_t n;           /* elements at z and y, in the host's memory; at least 1              */
  const void* z;        /* n logits                                                           */
  const void* y;        /* n labels for the two-argument ops, else NULL                       */
  uint64_t elements;    /* of each call: the n given ones, over and over, on the device       */
  uint64_t nanoseconds; /* calls are to be made until they took this long in all              */
  uint64_t calls;       /* answer: the calls made, at least 1                                 */
  double spent;         /* answer: nanoseconds that they took in all, by the device's clock   */
} ulpaudit_timing;

/* One call over arrays in the memory of a CUDA device that belong to another process, so that no
 * result crosses to the host: each is given by its cudaIpcMemHandle_t, 64 bytes, of the start of an
 * allocation, which stays open to the plug-in as long as the same handles come. */
typedef struct ulpaudit_device_batch {
  size_t struct_size;
  uint32_t dtype;           /* exactly one of ULPAUDIT_F16 … ULPAUDIT_F64                       */
  uint32_t flags;           /* 0                                                                */
  uint64_t n;               /* number of elements; at least 1                                   */
  const unsigned char* z;   /* of n logits                                                      */
  const unsigned char* y;   /* of n labels for the two-argument ops, else NULL                  */
  const unsigned char* out; /* of n results, complete when the call returns: what is written
                             * later may be taken for another kernel's                          */
} ulpaudit_device_batch;

/* One kernel: an implementation of one op in one or more dtypes. */
typedef struct ulpaudit_kernel {
  size_t struct_size;
  const char* name;    /* "sigmoid"; shown as plugin/name                              */
  const char* op;      /* "sigmoid", "sigmoid_grad", "bce_with_logits", "bce_with_logits_grad" */
  uint32_t dtypes;     /* mask of ULPAUDIT_F16 …                                       */
  uint32_t tags;       /* mask of ULPAUDIT_TAG_…                                       */
  const char* formula; /* one line: "1/(1+exp(-z))"                                    */
  const char* requires_what; /* ISA or device that it needs, "" for none               */
  const char* unavailable;   /* NULL where it can run here, else the reason in one line */
  const void* user;          /* the plug-in's own                                      */
  /* Returns ULPAUDIT_OK, or a status with a zero-terminated text of at most message_size bytes,
   * the zero included, in `message`. */
  int32_t (*run)(const struct ulpaudit_kernel* self, const ulpaudit_batch* batch, char* message,
                 size_t message_size);
  /* Appended later: a shorter struct_size means NULL. NULL where the caller's clock around `run`
   * tells how long the kernel takes; else it is asked for times. Status and message as of `run`. */
  int32_t (*time)(const struct ulpaudit_kernel* self, ulpaudit_timing* timing, char* message,
                  size_t message_size);
  /* Appended later still. NULL where the kernel takes arrays in the host's memory alone. With it, a
   * sweep can be judged on the device. Status and message as of `run`. */
  int32_t (*run_on_device)(const struct ulpaudit_kernel* self, const ulpaudit_device_batch* batch,
                           char* message, size_t message_size);
} ulpaudit_kernel;

/* The plug-in. `kernels` is an array of pointers, so that ulpaudit_kernel can grow. */
typedef struct ulpaudit_plugin {
  size_t struct_size;
  uint32_t abi_version; /* ULPAUDIT_ABI_VERSION of the header that it was built with   */
  uint32_t kernel_count;
  const char* name;     /* "naive": lower case, digits, '-', '_', '.'                  */
  const char* version;  /* the plug-in's own, "" for none                              */
  const char* build;    /* compiler and flags that matter, "" for none                 */
  const char* contract; /* text of its contract (TOML), "" or NULL for none            */
  const ulpaudit_kernel* const* kernels;
} ulpaudit_plugin;

#if defined(__GNUC__)
#define ULPAUDIT_EXPORT __attribute__((visibility("default")))
#else
#define ULPAUDIT_EXPORT
#endif

/* The one exported symbol. `host_abi` is the host's ULPAUDIT_ABI_VERSION; a plug-in that cannot
 * serve it returns NULL. */
typedef const ulpaudit_plugin* (*ulpaudit_entry_fn)(uint32_t host_abi);
ULPAUDIT_EXPORT const ulpaudit_plugin* ulpaudit_plugin_entry(uint32_t host_abi);

#ifdef __cplusplus
}
#endif

#endif /* ULPAUDIT_PLUGIN_H */
