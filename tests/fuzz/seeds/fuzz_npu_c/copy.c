/* AtoNN generated file, version 1.1.3-8 */
/* name=npuRAM5 offset=0x342e0000 absolute_mode size=4096 READ_WRITE */
static void LL_ATON_Start_EpochBlock_1(const void *epoch_block)
{
  /* kind=Identity node=Copy_1 */
  static const LL_Streng_TensorInitTypeDef a = { .dir = 0, .raw = 1, .addr_base = {(unsigned char *)(0x342e0000UL)}, /* x */
    .offset_end = 8, .frame_tot_cnt = 1, .nbits_in = 8, .nbits_out = 8, };
  LL_Streng_TensorInit(4, &a, 1);
  static const LL_Streng_TensorInitTypeDef b = { .dir = 1, .raw = 1, .addr_base = {(unsigned char *)(0x342e0000UL + 64)}, /* y */
    .offset_end = 8, .frame_tot_cnt = 1, .nbits_in = 8, .nbits_out = 8, };
  LL_Streng_TensorInit(5, &b, 1);
  static const LL_Switch_InitTypeDef s[] = {
    { LL_Switch_Init_Dest() = ATONN_DSTPORT(STRSWITCH, 0, STRENG, 5, 0), LL_Switch_Init_Source(0) = ATONN_SRCPORT(STRSWITCH, 0, STRENG, 4, 0), LL_Switch_Init_Context(0) = 1, LL_Switch_Init_Frames(0) = 0, },
  };
  LL_Switch_Init(s, 1);
}
const LL_Buffer_InfoTypeDef *info(void)
{
  static const uint32_t shape[] = { 8, };
  static const LL_Buffer_InfoTypeDef b[] = {
    { .name = "x", .addr_base = {(unsigned char *)(0x342e0000UL)}, .offset_end = 8, .epoch = 0, .mem_shape = shape, .type = DataType_INT8, .nbits = 8, .shape = shape },
    { .name = NULL, },
  };
  return b;
}
