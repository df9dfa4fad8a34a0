Counts to eight million in decimal with three nested loops of 200 rounds each and prints the count

Cells:  0 and 1 and 2 rounds left of the three loops   3 scratch
        4 to 7 the ones   8 to 11 the tens and so on up to 32 to 35
A digit has four cells: its value d; ten minus d called r; a flag f; a zero z
A carry is taken once in ten rounds: a loop with a side branch that has one itself
No cell leaves the range 0 to 255 so the width of a cell does not matter

>>>>>++++++++++>>>>++++++++++>>>>++++++++++>>>>++++++++++   r is ten for each digit
>>>>++++++++++>>>>++++++++++>>>>++++++++++>>>>++++++++++
<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<
<<++++++++++[<++++++++++++++++++++>-]<                      200 rounds of the outer loop
[
  >>++++++++++[<++++++++++++++++++++>-]<                    200 rounds of the middle loop
  [
    >>++++++++++[<++++++++++++++++++++>-]<                  200 rounds of the inner loop
    [
      >>                                                    at d of the ones: one more
        +>->+<[>-]>[<<[-]>++++++++++>
          >>+>->+<[>-]>[<<[-]>++++++++++>
            >>+>->+<[>-]>[<<[-]>++++++++++>
              >>+>->+<[>-]>[<<[-]>++++++++++>
                >>+>->+<[>-]>[<<[-]>++++++++++>
                  >>+>->+<[>-]>[<<[-]>++++++++++>
                    >>+>->+<[>-]>[<<[-]>++++++++++>
                      >>+>->+<[>-]>[<<[-]>++++++++++>->]<
                    <<<<->]<
                  <<<<->]<
                <<<<->]<
              <<<<->]<
            <<<<->]<
          <<<<->]<
        <<<<->]<
      <<<<-                                                 a round less
    ]
    <-
  ]
  <-
]
>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>                            print from the highest digit down
>>>++++++[<<<++++++++>>>-]<<<.
<<<<>>>++++++[<<<++++++++>>>-]<<<.
<<<<>>>++++++[<<<++++++++>>>-]<<<.
<<<<>>>++++++[<<<++++++++>>>-]<<<.
<<<<>>>++++++[<<<++++++++>>>-]<<<.
<<<<>>>++++++[<<<++++++++>>>-]<<<.
<<<<>>>++++++[<<<++++++++>>>-]<<<.
<<<<>>>++++++[<<<++++++++>>>-]<<<.
<++++++++++.
