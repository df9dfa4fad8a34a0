Prints the squares of the numbers 0 to 31 with three digits each

Cells:  0 rounds left   1 odd number to add   2 copy of it   3 scratch
        4 to 7 the ones   8 to 11 the tens   12 to 15 the hundreds
A digit has four cells: its value d; ten minus d called r; a flag f; a zero z
No cell leaves the range 0 to 255 so the width of a cell does not matter

++++++++[>++++<-]>[<+>-]<           32 rounds in cell 0
>+<                                 the first odd number is 1
>>>>>++++++++++>>>>++++++++++>>>>++++++++++<<<<<<<<<<<<<     r is ten for each digit
[
  print the digits from hundreds in 12 down to ones in 4
  >>>>>>>>>>>>
  >>>++++++[<<<++++++++>>>-]<<<.>>>++++++[<<<-------->>>-]<<<
  <<<<
  >>>++++++[<<<++++++++>>>-]<<<.>>>++++++[<<<-------->>>-]<<<
  <<<<
  >>>++++++[<<<++++++++>>>-]<<<.>>>++++++[<<<-------->>>-]<<<
  <++++++++++.[-]                   newline out of cell 3
  <<                                at cell 1
  [>+>+<<-]>>[<<+>>-]<              copy the odd number to cell 2
  [
    >>                              at d of the ones
    +>->+<[>-]>[<<[-]>++++++++++>   one more; if r came to zero carry
      >>+>->+<[>-]>[<<[-]>++++++++++>
        >>+>->+<[>-]>[<<[-]>++++++++++>->]<
      <<<<->]<
    <<<<->]<
    <<<<-                           back at cell 2
  ]
  <++<-                             the next odd number; a round less
]
