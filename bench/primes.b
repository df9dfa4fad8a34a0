Prints the primes below 200 found by dividing each number by all smaller ones

Cells:  0 rounds left   1 the number n   2 whether it is still taken for a prime
        3 the divisor less one   4 what is left of n   5 steps to the next multiple
        6 a flag   7 a zero   8 for copying   9 whether the last step met a multiple
        10 to 13 the ones   14 to 17 the tens   18 to 21 the hundreds of n in decimal
A digit has four cells: its value d; ten minus d called r; a flag f; a zero z
No cell leaves the range 0 to 255 so the width of a cell does not matter

+++++++++++[>++++++++++++++++++<-]>[<+>-]           198 rounds in cell 0
++                                                  n is 2
>>>>>>>>>++>++++++++>>>>++++++++++>>>>++++++++++    and so are its digits
<<<<<<<<<<<<<<<<<<<
[
  >>+                                               take it for a prime
  <[>>+>>>>>+<<<<<<<-]>>>>>>>[<<<<<<<+>>>>>>>-]     cell 3 is n by way of cell 8
  <<<<<--                                           less two: the largest divisor less one
  [
    <<[>>>+>>>>+<<<<<<<-]>>>>>>>[<<<<<<<+>>>>>>>-]  cell 4 is n
    <<<<<[>>+>>>+<<<<<-]>>>>>[<<<<<+>>>>>-]<<<+     cell 5 is the divisor
    <[
      ->>>>>[-]                                     one step and no multiple met yet
      <<<<-                                         a step less to the next multiple
      >+<[>-]>[                                     if that came to zero: at cell 6
        <<<[>>+>>>+<<<<<-]>>>>>[<<<<<+>>>>>-]<<<+   cell 5 is the divisor again
        >>>>+<<<                                    a multiple is met
        ->                                          the flag goes down
      ]
      <<<                                           back at cell 4
    ]
    >[-]                                            cell 5 is done with
    >>>>[-<<<<<<<[-]>>>>>>>]                        n is a multiple hence no prime
    <<<<<<-                                         the next divisor
  ]
  <[                                                a prime: print the three digits
    >>>>>>>>>>>>>>>>
    >>>++++++[<<<++++++++>>>-]<<<.>>>++++++[<<<-------->>>-]<<<
    <<<<
    >>>++++++[<<<++++++++>>>-]<<<.>>>++++++[<<<-------->>>-]<<<
    <<<<
    >>>++++++[<<<++++++++>>>-]<<<.>>>++++++[<<<-------->>>-]<<<
    <<++++++++++.[-]                                newline out of cell 8
    <<<<<<-
  ]
  >>>>>>>>                                          the decimal counter: one more
  +>->+<[>-]>[<<[-]>++++++++++>
    >>+>->+<[>-]>[<<[-]>++++++++++>
      >>+>->+<[>-]>[<<[-]>++++++++++>->]<
    <<<<->]<
  <<<<->]<
  <<<<<<<<<<<+                                      n is one more
  <-                                                a round less
]
