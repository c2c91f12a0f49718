#include "tests/support/unit.h"

#include "agent/base/hmac.h"

static void
check_hmac(struct sw_str key, struct sw_str text, const char *expected)
{
    /* However the text is split, the digest is the same. */
    for (size_t cut = 0; cut <= text.size; cut++) {
        const struct sw_str parts[] = {
            {text.data, cut}, {NULL, 0}, {text.data + cut, text.size - cut}};
        uint8_t digest[SW_SHA256_SIZE];
        char hex[2 * SW_SHA256_SIZE + 1] = "";
        sw_hmac_sha256(digest, key, parts, COUNT_OF(parts));
        sw_hex_encode(hex, digest, sizeof(digest));
        assert_string_equal(hex, expected);
    }
}

/* RFC 4231 §4.2 to §4.4, §4.7 and §4.8. */
static void
test_rfc4231(void **state)
{
    (void)state;
    char bytes[131];
    memset(bytes, 0x0b, 20);
    check_hmac((struct sw_str){bytes, 20}, SW_STR("Hi There"),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    check_hmac(SW_STR("Jefe"), SW_STR("what do ya want for nothing?"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    char text[50];
    memset(bytes, 0xaa, sizeof(bytes));
    memset(text, 0xdd, sizeof(text));
    check_hmac((struct sw_str){bytes, 20}, (struct sw_str){text, sizeof(text)},
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    check_hmac((struct sw_str){bytes, 131},
        SW_STR("Test Using Larger Than Block-Size Key - Hash Key First"),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    check_hmac((struct sw_str){bytes, 131},
        SW_STR("This is a test using a larger than block-size key and a larger than block-size "
               "data. The key needs to be hashed before being used by the HMAC algorithm."),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

/* Around the size from which a key is hashed first; digests are from Python's hmac. */
static void
test_sizes_of_keys(void **state)
{
    (void)state;
    char bytes[100];
    memset(bytes, 0xaa, sizeof(bytes));
    check_hmac((struct sw_str){bytes, 64}, SW_STR("key of 64"),
        "fe0c25946c34770992a2735cd1a9a9a8bcc7fda9b1200cd36bcd9e24abd32f3d");
    check_hmac((struct sw_str){bytes, 65}, SW_STR("key of 65"),
        "af17a927ee1764bd9e43253c56c8fa214d2748172a06ea13d748003b440558a3");
    check_hmac((struct sw_str){bytes, 100}, SW_STR("key of 100"),
        "745da5c3d8e247d46485c72c31a517e55cd7dbef967264a0838bb92c2297b84a");
}

/* Sizes around the block, in runs of every size up to two blocks, against all at once. */
static void
test_sha256_in_runs(void **state)
{
    (void)state;
    uint8_t bytes[300];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(7 * i + 3);
    }
    for (size_t size = 0; size <= sizeof(bytes); size += size < 140 ? 1 : 37) {
        uint8_t whole[SW_SHA256_SIZE];
        sw_sha256(whole, bytes, size);
        for (size_t step = 1; step <= 130; step++) {
            struct sw_sha256_run run;
            uint8_t digest[SW_SHA256_SIZE];
            sw_sha256_begin(&run);
            for (size_t at = 0; at < size; at += step) {
                sw_sha256_add(&run, bytes + at, size - at < step ? size - at : step);
            }
            sw_sha256_end(&run, digest);
            assert_memory_equal(digest, whole, sizeof(whole));
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc4231),
        cmocka_unit_test(test_sizes_of_keys),
        cmocka_unit_test(test_sha256_in_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
