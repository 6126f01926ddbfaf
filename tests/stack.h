/* stack.h - whether a secret is left on the stack: the call is made on one that can be read. */
#pragma once

#include "tests/suite.h"

#include <pthread.h>
#include <string.h>

static inline bool stack_keeps(void *(*call)(void *), void *with, const void *secret, size_t n)
{
    static _Alignas(4096) unsigned char stack[1 << 20];
    pthread_attr_t attr;
    pthread_t thread;

    memset(stack, 0, sizeof(stack));
    ck_assert_int_eq(pthread_attr_init(&attr), 0);
    ck_assert_int_eq(pthread_attr_setstack(&attr, stack, sizeof(stack)), 0);
    ck_assert_int_eq(pthread_create(&thread, &attr, call, with), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    (void)pthread_attr_destroy(&attr);
    return memmem(stack, sizeof(stack), secret, n) != NULL;
}
