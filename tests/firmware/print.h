/* Just enough printf for the console. */
#ifndef PRINT_H
#define PRINT_H

/* %s string, %u unsigned, %x four hex digits, %h signed hundredths ("-1.05"), %%. Numbers have 32 bits. */
void print(const char *format, ...);

#endif
