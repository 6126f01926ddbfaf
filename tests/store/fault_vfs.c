/* fault_vfs.c - see fault_vfs.h. */
#include "tests/store/fault_vfs.h"

#include "db/sqlite.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fault fault;

/* What a write or truncation replaced. */
struct undo {
    struct undo *next; /* older */
    char *path;
    sqlite3_int64 offset, size; /* of the file before */
    size_t n;
    uint8_t old[];
};

struct fault_file {
    sqlite3_file base;
    const char *path; /* NULL: temporary */
    sqlite3_file *real;
};

static struct undo *undos;
static sqlite3_vfs layer;

static sqlite3_vfs *below(void)
{
    return layer.pAppData;
}

static int strike(int usual)
{
    bool hit = fault.at && (++fault.count == fault.at || (fault.forever && fault.count > fault.at));

    if (!fault.at)
        fault.count++;
    fault.hits += hit;
    return !hit ? SQLITE_OK : fault.code ? fault.code : usual;
}

/* ---- what was not synced -------------------------------------------------------------------- */

static void remember(struct fault_file *file, sqlite3_int64 offset, size_t n)
{
    struct undo *undo;

    if (!file->path)
        return;
    undo = xcalloc(1, sizeof(*undo) + n);
    undo->path = xstrdup(file->path);
    undo->offset = offset;
    undo->n = n;
    (void)file->real->pMethods->xFileSize(file->real, &undo->size);
    if (n)
        (void)file->real->pMethods->xRead(file->real, undo->old, (int)n, offset);
    undo->next = undos;
    undos = undo;
}

static void forget(const char *path)
{
    struct undo **at = &undos;

    while (*at) {
        struct undo *undo = *at;

        if (path && strcmp(undo->path, path) != 0) {
            at = &undo->next;
            continue;
        }
        *at = undo->next;
        free(undo->path);
        free(undo);
    }
}

void fault_reset(void)
{
    forget(NULL);
    fault = (struct fault){0};
}

static void take_back(const struct undo *undo)
{
    int fd = open(undo->path, O_RDWR | O_CLOEXEC);
    size_t n = undo->n;

    if (fd < 0)
        return;
    if ((sqlite3_int64)(undo->offset + (sqlite3_int64)n) > undo->size)
        n = undo->offset < undo->size ? (size_t)(undo->size - undo->offset) : 0;
    if (pwrite(fd, undo->old, n, undo->offset) != (ssize_t)n || ftruncate(fd, undo->size) != 0)
        abort();
    (void)close(fd);
}

void fault_power_loss(uint64_t seed)
{
    unsigned i = 0;

    for (const struct undo *undo = undos; undo; undo = undo->next) {
        if (!seed || hash_u64(seed + i++) & 1)
            take_back(undo);
    }
    fault_reset();
}

/* ---- methods -------------------------------------------------------------------------------- */

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct fault_file *)file)->real;
}

static int on_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int on_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
    return real_of(file)->pMethods->xRead(real_of(file), to, n, at);
}

static int on_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 at)
{
    int code = strike(SQLITE_IOERR_WRITE);

    if (code)
        return code;
    remember((struct fault_file *)file, at, (size_t)n);
    return real_of(file)->pMethods->xWrite(real_of(file), from, n, at);
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int code = strike(SQLITE_IOERR_TRUNCATE);
    sqlite3_int64 now = 0;

    if (code)
        return code;
    (void)real_of(file)->pMethods->xFileSize(real_of(file), &now);
    remember((struct fault_file *)file, size, now > size ? (size_t)(now - size) : 0);
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int on_sync(sqlite3_file *file, int flags)
{
    int code = strike(SQLITE_IOERR_FSYNC);

    (void)flags;
    if (!code && ((struct fault_file *)file)->path)
        forget(((struct fault_file *)file)->path);
    return code;
}

static int on_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int on_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int on_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int on_check_lock(sqlite3_file *file, int *held)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), held);
}

static int on_control(sqlite3_file *file, int op, void *arg)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int on_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

/* No promise beyond what a plain disk gives. */
static int on_character(sqlite3_file *file)
{
    (void)file;
    return 0;
}

static int on_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **p)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, p);
}

static int on_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void on_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int on_shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_check_lock,
    .xFileControl = on_control,
    .xSectorSize = on_sector,
    .xDeviceCharacteristics = on_character,
    .xShmMap = on_shm_map,
    .xShmLock = on_shm_lock,
    .xShmBarrier = on_shm_barrier,
    .xShmUnmap = on_shm_unmap,
};

static int on_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags, int *out)
{
    struct fault_file *file = (struct fault_file *)base;
    int code = strike(SQLITE_CANTOPEN);

    (void)vfs;
    memset(file, 0, sizeof(*file));
    if (code)
        return code;
    file->path = path;
    file->real = (sqlite3_file *)(file + 1);
    code = below()->xOpen(below(), path, file->real, flags, out);
    if (code == SQLITE_OK)
        file->base.pMethods = &methods;
    return code;
}

static int on_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
    int code = strike(SQLITE_IOERR_DELETE);

    (void)vfs;
    (void)sync;
    if (code)
        return code;
    forget(path);
    return below()->xDelete(below(), path, 0);
}

void fault_register(void)
{
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);

    if (sqlite3_vfs_find("fault"))
        return;
    layer = *real;
    layer.zName = "fault";
    layer.pNext = NULL;
    layer.pAppData = real;
    layer.szOsFile = (int)sizeof(struct fault_file) + real->szOsFile;
    layer.xOpen = on_open;
    layer.xDelete = on_delete;
    (void)sqlite3_vfs_register(&layer, 0);
}
