/* Loaded with LD_PRELOAD by faulty_calls.py: of the calls that touch files below one folder, a chosen one fails, is
 * cut short, or is never reached because the process is killed.
 *
 * FAULT_FOLDER  calls on paths below it count, no others
 * FAULT_CALLS   between commas, those that count (",write,fsync,"); absent: all of them
 * FAULT_AT      which of them is struck, from 1, in each process; absent: none
 * FAULT_DO      "kill"; an errno; "full": half of a write is done, and from then on the disk is full
 * FAULT_LOG     a file that gets a line for each call that counts: pid, call, path
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum strike { NONE, FAIL, CUT };

static atomic_int calls, disk_is_full;

static void note(const char *call, const char *path)
{
    const char *log = getenv("FAULT_LOG");
    if (log == NULL)
        return;
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%d %s %s\n", getpid(), call, path);
    int file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file < 0 || syscall(SYS_write, file, line, length) != length)
        abort();
    syscall(SYS_close, file);
}

static enum strike fail(int error)
{
    errno = error;
    return FAIL;
}

static enum strike strike(const char *call, const char *path)
{
    const char *folder = getenv("FAULT_FOLDER"), *names = getenv("FAULT_CALLS");
    const char *at = getenv("FAULT_AT"), *act = getenv("FAULT_DO");
    char name[32];
    snprintf(name, sizeof name, ",%s,", call);
    if (folder == NULL || strncmp(path, folder, strlen(folder)) != 0)
        return NONE;
    if (disk_is_full && strstr(",create,write,mkdir,fallocate,", name) != NULL)
        return fail(ENOSPC);
    if (names != NULL && strstr(names, name) == NULL)
        return NONE;
    note(call, path);
    if (at == NULL || act == NULL || atomic_fetch_add(&calls, 1) + 1 != atoi(at))
        return NONE;
    if (strcmp(act, "kill") == 0)
        kill(getpid(), SIGKILL);
    if (strcmp(act, "full") != 0)
        return fail(atoi(act));
    disk_is_full = 1;
    return strcmp(call, "write") == 0 ? CUT : fail(ENOSPC);
}

/* A path relative to an open folder; "" stands for the open file itself. */
static enum strike strike_at(const char *call, int folder, const char *path)
{
    char whole[PATH_MAX] = "", link[64];
    if (path[0] == '/' || folder == AT_FDCWD)
        return strike(call, path);
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = readlink(link, whole, sizeof whole - 1);
    if (length < 0 || whole[0] != '/')
        return NONE; /* a socket or a pipe */
    if (path[0] != '\0')
        snprintf(whole + length, sizeof whole - length, "/%s", path);
    return strike(call, whole);
}

/* The function that would have been called without us. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define PATH_CALL(name, call, parameters, arguments, folder, path) \
    int name parameters { return strike_at(call, folder, path) ? -1 : REAL(name) arguments; }

PATH_CALL(rename, "rename", (const char *from, const char *to), (from, to), AT_FDCWD, to)
PATH_CALL(renameat, "rename", (int f, const char *from, int t, const char *to), (f, from, t, to), t, to)
PATH_CALL(link, "link", (const char *from, const char *to), (from, to), AT_FDCWD, to)
PATH_CALL(unlink, "unlink", (const char *path), (path), AT_FDCWD, path)
PATH_CALL(unlinkat, "unlink", (int folder, const char *path, int flags), (folder, path, flags), folder, path)
PATH_CALL(rmdir, "rmdir", (const char *path), (path), AT_FDCWD, path)
PATH_CALL(mkdir, "mkdir", (const char *path, mode_t mode), (path, mode), AT_FDCWD, path)
PATH_CALL(utimensat, "utime", (int folder, const char *path, const struct timespec times[2], int flags),
          (folder, path, times, flags), folder, path)
PATH_CALL(fsync, "fsync", (int file), (file), file, "")
PATH_CALL(fdatasync, "fdatasync", (int file), (file), file, "")
PATH_CALL(ftruncate, "ftruncate", (int file, off_t size), (file, size), file, "")
PATH_CALL(ftruncate64, "ftruncate", (int file, off64_t size), (file, size), file, "")
PATH_CALL(fallocate, "fallocate", (int file, int mode, off_t from, off_t size), (file, mode, from, size), file, "")
PATH_CALL(fallocate64, "fallocate", (int file, int mode, off64_t from, off64_t size), (file, mode, from, size), file, "")

#define WRITE_CALL(name, parameters, whole, half) \
    ssize_t name parameters \
    { \
        enum strike what = strike_at("write", file, ""); \
        return what == FAIL ? -1 : what == CUT ? REAL(name) half : REAL(name) whole; \
    }

WRITE_CALL(write, (int file, const void *from, size_t size), (file, from, size), (file, from, size / 2))
WRITE_CALL(pwrite, (int file, const void *from, size_t size, off_t at), (file, from, size, at), (file, from, size / 2, at))
WRITE_CALL(pwrite64, (int file, const void *from, size_t size, off64_t at), (file, from, size, at),
           (file, from, size / 2, at))

/* The mode is passed on whether there is one or not, as the C library itself does. */
#define OPEN_CALL(name, parameters, arguments, folder) \
    int name parameters \
    { \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = va_arg(rest, mode_t); \
        va_end(rest); \
        const char *call = flags & (O_CREAT | O_WRONLY | O_RDWR) ? "create" : "open"; \
        return strike_at(call, folder, path) ? -1 : REAL(name) arguments; \
    }

OPEN_CALL(open, (const char *path, int flags, ...), (path, flags, mode), AT_FDCWD)
OPEN_CALL(open64, (const char *path, int flags, ...), (path, flags, mode), AT_FDCWD)
OPEN_CALL(openat, (int folder, const char *path, int flags, ...), (folder, path, flags, mode), folder)
OPEN_CALL(openat64, (int folder, const char *path, int flags, ...), (folder, path, flags, mode), folder)
