/* dump */
#include <stdint.h>
const int8_t conv1_out[2][3] = { {1, 2, 0x03}, {-4, 5, 6}, };
float y[] = {1.0f, 2.5e-3f};
