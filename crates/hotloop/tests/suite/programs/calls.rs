//! Calls, recursion, closures, exceptions, generators.

use super::Text;

pub const PROGRAMS: &[Text] = &[
    (
        "calls five deep",
        "fn main 5
           int r0 0; int r2 60; int r3 1
         loop:
           call r4 a r0 1
           add r1 r1 r4
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn a 3
           int r1 1; add r0 r0 r1
           call r2 b r0 1
           add r2 r2 r0
           return r2
         fn b 3
           int r1 2; add r0 r0 r1
           call r2 c r0 1
           add r2 r2 r0
           return r2
         fn c 3
           int r1 3; add r0 r0 r1
           call r2 d r0 1
           add r2 r2 r0
           return r2
         fn d 3
           int r1 4; add r0 r0 r1
           call r2 e r0 1
           add r2 r2 r0
           return r2
         fn e 3
           int r1 9; jump-less r0 r1 small
           return r0
         small:
           return r1",
    ),
    (
        "fib",
        "fn main 3
           int r0 11
           call r1 fib r0 1
           return r1
         fn fib 5
           int r1 2; jump-less r0 r1 small
           int r2 1; sub r3 r0 r2
           call r3 fib r3 1
           sub r4 r0 r1
           call r4 fib r4 1
           add r0 r3 r4
         small:
           return r0",
    ),
    (
        "recursion too deep is caught",
        "fn main 6
           int r0 0; int r2 12; int r3 1
         loop:
           call r4 down r0 1
         after:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           add r1 r1 r3
           jump after
           try loop after r5 caught
         fn down 3
           int r1 1; add r0 r0 r1
           call r2 down r0 1
           return r2",
    ),
    (
        "mutual recursion",
        "fn main 6
           int r0 0; int r2 20; int r3 1
         loop:
           call r4 even r0 1
           add r1 r1 r4
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn even 3
           jump-if r0 on
           int r1 1; return r1
         on:
           int r1 1; sub r0 r0 r1
           call r2 odd r0 1
           return r2
         fn odd 3
           jump-if r0 on
           return r0
         on:
           int r1 1; sub r0 r0 r1
           call r2 even r0 1
           return r2",
    ),
    (
        "a loop in a callee",
        "fn main 6
           int r0 0; int r2 20; int r3 1
         loop:
           call r4 sum r0 1
           add r1 r1 r4
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn sum 4
           int r1 0; int r2 1
         loop:
           add r3 r3 r1; add r1 r1 r2
           back-less r1 r0 loop
           return r3",
    ),
    (
        "closures, called megamorphically",
        "fn main 10
           int r0 0; int r2 80; int r3 1; array r4 4; int r5 4
           int r6 0; closure r7 add r2; set-item r4 r6 r7
           int r6 1; closure r7 add r3; set-item r4 r6 r7
           int r6 2; closure r7 twice r3; set-item r4 r6 r7
           int r6 3; closure r7 fails r3; set-item r4 r6 r7
         loop:
           mod r6 r0 r5; item r7 r4 r6
           call-value r8 r7 r0 1
           add r1 r1 r8
         after:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           sub r1 r1 r3
           jump after
           try loop after r9 caught
         fn add 3
           add r2 r0 r1
           return r2
         fn twice 3
           add r2 r1 r1
           return r2
         fn fails 3
           raise r1",
    ),
    (
        "exceptions through two frames",
        "fn main 8
           int r0 0; int r2 70; int r3 1
         loop:
           call r4 outer r0 1
           add r1 r1 r4
         after:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           add r1 r1 r5; bump r6
           jump after
         twice:
           add r1 r1 r3
           jump after
           try loop after r5 caught
           try caught twice r7 twice
         fn outer 3
           int r1 1
           call r2 inner r0 1
           return r2
         fn inner 3
           int r1 5; mod r2 r0 r1
           jump-if r2 fine
           raise r0
         fine:
           return r2",
    ),
    (
        "an exception caught in the callee",
        "fn main 8
           int r0 0; int r2 70; int r3 1
         loop:
           call r4 safe r0 1
           add r1 r1 r4
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn safe 5
         try-it:
           int r1 3; mod r2 r0 r1; div r3 r0 r2
           return r3
         caught:
           int r4 100
           return r4
           try try-it caught r3 caught",
    ),
    (
        "a generator",
        "fn main 8
           int r0 0; int r2 60; int r3 1; generator r4 count r0
         loop:
           resume r5 r4 r0
           add r1 r1 r5
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn count 4
           int r1 1
         loop:
           add r0 r0 r1
           yield r2 r0
           add r0 r0 r2
           back loop",
    ),
    (
        "a generator ends, another is made",
        "fn main 8
           int r0 0; int r2 60; int r3 1; generator r4 few r0
         loop:
           resume r5 r4 r0
           add r1 r1 r5
         after:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         ended:
           generator r4 few r0
           jump after
           try loop after r6 ended
         fn few 4
           int r1 1; int r3 0
         loop:
           add r0 r0 r1; add r3 r3 r1
           yield r2 r0
           int r2 4
           back-less r3 r2 loop
           return r0",
    ),
    (
        "a generator that raises, and one that resumes itself",
        "fn main 8
           int r0 0; int r2 40; int r3 1; generator r4 odd r0; set-global 1 r4
         loop:
           resume r5 r4 r0
           add r1 r1 r5
         after:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           add r7 r7 r3; generator r4 odd r0; set-global 1 r4
           jump after
           try loop after r6 caught
         fn odd 5
           int r1 1; int r3 7
         loop:
           yield r2 r0
           add r0 r0 r1
           mod r4 r2 r3
           jump-if r4 loop-on
           global r4 1
           resume r4 r4 r0
         loop-on:
           back loop",
    ),
    (
        "a generator that resumes a generator",
        "fn main 8
           int r0 0; int r2 40; int r3 1; generator r4 outer r0
         loop:
           resume r5 r4 r0
           add r1 r1 r5
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn outer 5
           generator r1 inner r0
         loop:
           resume r2 r1 r0
           add r2 r2 r3
           yield r3 r2
           back loop
         fn inner 4
           int r1 1
         loop:
           add r0 r0 r1
           yield r2 r0
           back loop",
    ),
    (
        "generators that call functions, which resume generators and raise",
        "fn main 8
           int r0 0; int r2 60; int r3 1; generator r4 outer r0
         loop:
           resume r5 r4 r0
           add r1 r1 r5
         after:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           add r7 r7 r3; generator r4 outer r0
           jump after
           try loop after r6 caught
         fn outer 5
           generator r1 inner r0
         loop:
           call r2 next r1 1
           add r2 r2 r3
           yield r3 r2
           back loop
         fn next 4
           int r1 1; int r3 40
           resume r2 r0 r1
           jump-less r2 r3 fine
           int r3 0; div r2 r2 r3
         fine:
           call r2 twice r2 1
           return r2
         fn twice 2
           add r0 r0 r0
           return r0
         fn inner 4
           int r1 1
         loop:
           call r3 twice r0 1
           add r0 r0 r1
           yield r2 r0
           back loop",
    ),
    (
        "generators taken in turn, and one frame type in many places",
        "fn main 9
           int r0 0; int r2 60; int r3 1; int r8 2
           generator r4 count r0; generator r5 count r2
         loop:
           mod r6 r0 r8
           jump-if r6 other
           resume r7 r4 r3
           jump on
         other:
           resume r7 r5 r3
         on:
           add r1 r1 r7; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn count 4
           int r1 1
         loop:
           call r3 twice r0 1
           yield r2 r3
           add r0 r0 r1
           back loop
         fn twice 2
           add r1 r0 r0
           return r1",
    ),
    (
        "a pair goes through calls and comes back the same",
        "fn main 8
           int r0 0; int r2 60; int r3 1
         loop:
           pair r4 r0 r3
           call r5 same r4 1
           same r6 r4 r5; add r1 r1 r6; first r7 r5; add r1 r1 r7
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn same 3
           first r1 r0; add r1 r1 r1; set-first r0 r1
           return r0",
    ),
];
