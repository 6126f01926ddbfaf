/* RFC 3339, GPS time, the clock double. */
#include "core/clock.h"
#include "tests/suite.h"

START_TEST(times_read_and_print)
{
    static const struct {
        const char *in, *out;
    } good[] = {
        {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"},
        {"2026-11-21T13:04:16.123Z", "2026-11-21T13:04:16.123Z"},
        {"2020-10-01T09:30:52.592567Z", "2020-10-01T09:30:52.592Z"},
        {"2020-02-29 23:59:59+01:30", "2020-02-29T22:29:59.000Z"},
        {"2020-01-01T00:00:00-0500", "2020-01-01T05:00:00.000Z"},
        {"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
    };
    static const char *const bad[] = {"",
                                      "2020",
                                      "2019-02-29T00:00:00Z",
                                      "2020-13-01T00:00:00Z",
                                      "2020-01-01T24:00:00Z",
                                      "2020-01-01T00:00:00",
                                      "2020-01-01T00:00:00.Z",
                                      "2020-01-01T00:00:00Zx"};
    char text[CLOCK_TEXT];
    int64_t us;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ck_assert_msg(clock_read(good[i].in, &us), "%s", good[i].in);
        ck_assert_str_eq(clock_text(text, us), good[i].out);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!clock_read(bad[i], &us), "%s", bad[i]);
}
END_TEST

START_TEST(the_double_stands_still)
{
    struct clock_double d;

    clock_double_init(&d, 100, 5000);
    clock_double_set(&d, 350);
    ck_assert_int_eq(clock_mono(&d.clock), 350);
    ck_assert_int_eq(clock_utc(&d.clock), 5250);
    clock_double_step_utc(&d, -1000);
    ck_assert_int_eq(clock_mono(&d.clock), 350);
    ck_assert_int_eq(clock_utc(&d.clock), 4250);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {times_read_and_print, the_double_stands_still, NULL};

    return run_suite(suite_of("clock", tests));
}
