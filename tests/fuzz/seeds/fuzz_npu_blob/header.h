static const uint64_t _ec_blob_1 [] = { 0x00000004ca057a7aUL, 0x5c027c000000003dUL, 0x0000000c00070000UL };
