/* The small ones of agent/base: sha256, uuid, backoff, log. */
#include "tests/support/unit.h"

#include "agent/base/backoff.h"
#include "agent/base/log.h"
#include "agent/base/sha256.h"
#include "agent/base/time_text.h"
#include "agent/base/uuid.h"

static void
check_sha256(const void *bytes, size_t size, const char *expected)
{
    uint8_t digest[SW_SHA256_SIZE];
    char text[2 * SW_SHA256_SIZE + 1] = "";
    sw_sha256(digest, bytes, size);
    sw_hex_encode(text, digest, sizeof(digest));
    assert_string_equal(text, expected);
}

/* NIST's examples for FIPS 180-4. */
static void
test_sha256_nist(void **state)
{
    (void)state;
    check_sha256(NULL, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_sha256("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check_sha256("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopq"
                 "klmnopqrlmnopqrsmnopqrstnopqrstu",
        112, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    char *million = malloc(1000000);
    memset(million, 'a', 1000000);
    check_sha256(
        million, 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

/* Sizes around the block and the padding; byte i is 7 i + 3; digests are from Python's hashlib. */
static const struct {
    size_t size;
    const char *digest;
} sha256_sizes[] = {
    {0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {1, "084fed08b978af4d7d196a7446a86b58009e636b611db16211b65a9aadff29c5"},
    {54, "160bbf14b458c877b7049e7cb5771dd653930f97d20bdd8ee795c16062906233"},
    {55, "e7313d333c272e639f790978283f9eb392e843d0f29b7016828bb1daa4aac70b"},
    {56, "4324d65f3c103567f5589c710bc08f8523f929a9272e3af36fc968e52abc6c27"},
    {57, "35df609437dcfea3279283ab79fd554e2bf78f8f7ae2de532d8ee300b09e8f73"},
    {63, "81c80242132f230c3bd41b3e63bbcff16107339549214a99614ff26664625055"},
    {64, "39e3d7b6b5d075d37d053ad89b24b41bef4f3c29760c84447cab3f3be1882241"},
    {65, "aacca6ff74fdbb296d165a45cecfa04e5127bc008770fbbdd48006f2d2fae95e"},
    {111, "67d9492e628fd376e0b2efec8ca2b99b123e202cf620deb270728df979b2f73e"},
    {112, "96b928cff8528dbb99602c709a65b846cb6467acb8b722f0d758e4dc27bfc508"},
    {119, "9ce7368e4daf32341631b492e80359dc9f594b48453cd0dd5bf0b19279cc177e"},
    {120, "7836b787757e95e58b3ca5aec90b1b004e8deba1e50e9675af9cabf1a13a04b5"},
    {121, "1189a98a00c71bc1848ea8bdc9700b442bee0be7c3f45172303f1ab0b6f1617e"},
    {127, "a8d23e75d936f303d248888d9b165ee543f4cbafcad3c9dd2a79bd84faa11d07"},
    {128, "d2742f1f4ac6bb7ca2b239ee18402ba8b3f9f8e652d2a72973c2b9ba11c08cf6"},
    {129, "307f8fc2c1622b92762e818d39a185d4d667ad49a4b07ceae1f4afa008a93ec4"},
    {1000, "1e9bc38cbf860b9ec31918b065f9b52476c549a782e0e7990bed8ce3868d2371"},
    {4096, "7486da8f1e13943fae21a0b043f1e99640d7d8ebafb25266478b5cddae1272b5"},
};

static void
test_sha256_sizes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sha256_sizes); i++) {
        size_t size = sha256_sizes[i].size;
        uint8_t *bytes = malloc(size + 1);
        for (size_t j = 0; j < size; j++) {
            bytes[j] = (uint8_t)(7 * j + 3);
        }
        check_sha256(bytes, size, sha256_sizes[i].digest);
        free(bytes);
    }
}

static void
fixed_random(void *context, uint8_t *bytes, size_t size)
{
    memset(bytes, *(const int *)context, size);
}

static void
test_uuid_layout(void **state)
{
    (void)state;
    int ones = 0xFF;
    int zeros = 0;
    struct sw_uuid_source source = {.random = fixed_random, .context = &ones};
    struct sw_buf buf;
    sw_buf_init(&buf, 100);
    /* The time of RFC 9562's example, appendix A.6. */
    struct sw_uuid uuid = sw_uuid_make(&source, INT64_C(0x017F22E279B0) * SW_NS_PER_MS);
    sw_uuid_add(&buf, &uuid);
    assert_buf(&buf, "017f22e2-79b0-7000-bfff-ffffffffffff");
    sw_buf_clear(&buf);
    source = (struct sw_uuid_source){.random = fixed_random,
        .context = &zeros,
        .last_ms = source.last_ms,
        .counter = source.counter};
    uuid = sw_uuid_make(&source, INT64_C(0x017F22E279B0) * SW_NS_PER_MS + 999999);
    sw_uuid_add(&buf, &uuid);
    assert_buf(&buf, "017f22e2-79b0-7001-8000-000000000000");
    sw_buf_fini(&buf);

    struct sw_uuid nil = {{0}};
    assert_true(sw_uuid_is_nil(&nil));
    assert_false(sw_uuid_is_nil(&uuid));
    assert_int_equal(sw_uuid_compare(&nil, &nil), 0);
    assert_true(sw_uuid_compare(&nil, &uuid) < 0);
    assert_true(sw_uuid_compare(&uuid, &nil) > 0);
}

/* Of one source ids ascend whatever the clock does, and carry version and variant. */
static void
test_uuid_ascends(void **state)
{
    (void)state;
    uint64_t seed = 3;
    struct sw_uuid_source source = {.random = sw_uuid_seeded_random, .context = &seed};
    struct sw_uuid last = {{0}};
    int64_t now_ns = INT64_C(1795357577) * SW_NS_PER_S;
    for (int i = 0; i < 30000; i++) {
        now_ns += i == 10000   ? -3600 * SW_NS_PER_S /* the clock is set back */
                  : i == 20000 ? 7200 * SW_NS_PER_S
                  : i % 3 == 0 ? 100
                               : 0;
        struct sw_uuid uuid = sw_uuid_make(&source, now_ns);
        assert_true(sw_uuid_compare(&last, &uuid) < 0);
        assert_int_equal(uuid.bytes[6] >> 4, 7);
        assert_int_equal(uuid.bytes[8] >> 6, 2);
        assert_memory_not_equal(last.bytes + 8, uuid.bytes + 8, 8);
        last = uuid;
    }
    /* Going forward again it is the clock's time, not one that ran ahead. */
    int64_t ms = 0;
    for (size_t i = 0; i < 6; i++) {
        ms = ms << 8 | last.bytes[i];
    }
    assert_true(ms - now_ns / SW_NS_PER_MS <= 10000 / 4096 + 1);
    (void)sw_uuid_make(&source, -1);
}

static void
test_seeded_random(void **state)
{
    (void)state;
    uint64_t a = 42;
    uint64_t b = 42;
    uint8_t first[20];
    uint8_t second[20];
    sw_uuid_seeded_random(&a, first, sizeof(first));
    sw_uuid_seeded_random(&b, second, sizeof(second));
    assert_memory_equal(first, second, sizeof(first));
    sw_uuid_seeded_random(&b, second, sizeof(second));
    assert_memory_not_equal(first, second, sizeof(first));
    /* SplitMix64's published first output for seed 1234567, lowest byte first. */
    uint64_t seed = 1234567;
    uint64_t value = UINT64_C(6457827717110365317);
    sw_uuid_seeded_random(&seed, first, 8);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(first[i], value >> (8 * i) & 0xFF);
    }
}

static void
test_backoff(void **state)
{
    (void)state;
    struct sw_backoff backoff = {.first_ns = 1000, .max_ns = 6000};
    static const int64_t bounds[] = {1000, 2000, 4000, 6000, 6000};
    assert_true(sw_backoff_bound(&backoff) == 1000);
    for (size_t i = 0; i < COUNT_OF(bounds); i++) {
        int64_t wait_ns = sw_backoff_fail(&backoff, UINT32_MAX, 0);
        assert_true(sw_backoff_bound(&backoff) == bounds[i]);
        assert_true(wait_ns >= bounds[i] - 1 && wait_ns <= bounds[i]);
    }
    assert_true(sw_backoff_fail(&backoff, 0, 0) == 0);
    assert_true(sw_backoff_fail(&backoff, 0x80000000u, 0) == 3000);
    assert_true(sw_backoff_fail(&backoff, 0, 100000) == 100000);
    assert_true(sw_backoff_fail(&backoff, UINT32_MAX, 10) > 10);
    for (int i = 0; i < 200; i++) {
        (void)sw_backoff_fail(&backoff, 1, 0);
    }
    assert_true(sw_backoff_bound(&backoff) == 6000);
    sw_backoff_reset(&backoff);
    assert_true(sw_backoff_bound(&backoff) == 1000);

    struct sw_backoff lower = {.first_ns = 5000, .max_ns = 3000};
    assert_true(sw_backoff_bound(&lower) == 3000);
}

struct heard {
    int count;
    enum sw_log_level level;
    char line[20000];
    size_t size;
};

static void
hear(void *context, enum sw_log_level level, const char *line, size_t size)
{
    struct heard *heard = context;
    heard->count++;
    heard->level = level;
    heard->size = size;
    assert_true(size < sizeof(heard->line));
    memcpy(heard->line, line, size + 1);
}

static void
test_log(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct sw_log log = {.level = SW_LOG_WARN, .write = hear, .context = &heard};
    sw_log(NULL, SW_LOG_ERROR, "part", "said to nobody");
    sw_log(&log, SW_LOG_INFO, "part", "too quiet");
    assert_int_equal(heard.count, 0);
    sw_log(&log, SW_LOG_WARN, "source fs01", "%d of %s", 3, "a\nb");
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.level, SW_LOG_WARN);
    assert_string_equal(heard.line, "source fs01: 3 of a\\u{A}b");
    assert_int_equal(heard.size, strlen(heard.line));
    sw_log(&log, SW_LOG_ERROR, NULL, "alone");
    assert_string_equal(heard.line, "alone");

    /* Long lines are cut, also where every byte needs six. */
    char text[3 * SW_LOG_LINE_MAX];
    memset(text, '\x1B', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    sw_log(&log, SW_LOG_ERROR, "part", "%s", text);
    assert_int_equal(heard.count, 3);
    assert_true(heard.size >= SW_LOG_LINE_MAX);
    assert_int_equal(strlen(heard.line), heard.size);
    assert_int_equal(heard.line[heard.size - 1], '}');
}

static void
test_log_limit(void **state)
{
    (void)state;
    struct sw_log_limit limit = {0};
    unsigned suppressed = 99;
    int64_t hour_ns = 3600 * SW_NS_PER_S;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(sw_log_limit_allows(&limit, 1000 + i, 3, &suppressed), i < 3);
        assert_int_equal(suppressed, 0);
    }
    assert_false(sw_log_limit_allows(&limit, 1000 + hour_ns - 1, 3, &suppressed));
    assert_true(sw_log_limit_allows(&limit, 1000 + hour_ns, 3, &suppressed));
    assert_int_equal(suppressed, 3);
    assert_true(sw_log_limit_allows(&limit, 1000 + hour_ns, 3, &suppressed));
    assert_int_equal(suppressed, 0);
    assert_true(sw_log_limit_allows(&limit, 1000 + 3 * hour_ns, 3, &suppressed));
    assert_int_equal(suppressed, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256_nist),
        cmocka_unit_test(test_sha256_sizes),
        cmocka_unit_test(test_uuid_layout),
        cmocka_unit_test(test_uuid_ascends),
        cmocka_unit_test(test_seeded_random),
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_log_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
