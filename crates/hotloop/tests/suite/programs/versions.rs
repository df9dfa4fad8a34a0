//! Loops that are used with values of several types, and with several promoted constants.

use super::Text;

pub const PROGRAMS: &[Text] = &[
    ("a loop with one of three objects for a constant", PROMOTED),
    (
        "sums of ints, then of floats, in turn",
        "fn main 12
           int r0 0; int r2 12; int r3 1; int r9 2; float r8 0.5; int r1 0
         outer:
           mod r6 r0 r9; int r7 0
           jump-if r6 on
           move r7 r8
         on:
           int r10 0; int r11 12
         loop:
           add r7 r7 r10; add r10 r10 r3
           back-less r10 r11 loop
           add r1 r1 r7; add r0 r0 r3
           back-less r0 r2 outer
           return r1",
    ),
    (
        "the type changes in the middle of the loop, and back",
        "fn main 12
           int r0 0; int r2 90; int r3 1; int r9 30; int r1 0; float r8 0.25; int r7 60; int r4 0
         loop:
           same r5 r0 r9
           jump-if r5 floats
           same r5 r0 r7
           jump-if r5 ints
         on:
           add r1 r1 r3; add r4 r4 r1; add r0 r0 r3
           back-less r0 r2 loop
           return r4
         floats:
           move r1 r8; jump on
         ints:
           int r1 5; jump on",
    ),
    (
        "an object of one type or of another, or null, goes round",
        "fn main 12
           int r0 0; int r2 12; int r3 1; int r9 3; pair r4 r3 r2; cell r5 r2
         outer:
           mod r6 r0 r9; null r7
           jump-if r6 other
           move r7 r4; jump on
         other:
           sub r6 r6 r3
           jump-if r6 on
           move r7 r5
         on:
           int r10 0; int r11 12
         loop:
           is-pair r6 r7; add r1 r1 r6; add r10 r10 r3
           back-less r10 r11 loop
           add r0 r0 r3
           back-less r0 r2 outer
           return r1",
    ),
    (
        "arrays of several lengths: guards that were moved out of a version fail",
        "fn main 14
           int r0 0; int r2 12; int r3 1; int r9 2; config r4 r3; config r5 r2; int r8 5; int r1 0
         outer:
           mod r6 r0 r9; move r7 r4; array r12 15
           jump-if r6 on
           move r7 r5; array r12 15
         on:
           int r10 0; int r11 12
           less r6 r8 r0
           jump-if r6 short
         loop:
           kind r6 r7; item r13 r12 r10; add r1 r1 r6; set-item r12 r10 r6; add r10 r10 r3
           back-less r10 r11 loop
         done:
           add r0 r0 r3
           back-less r0 r2 outer
           return r1
         short:
           array r12 9; jump loop
         over:
           add r1 r1 r3; jump done
           try loop done r6 over",
    ),
    (
        "three kinds in turn, each iteration another",
        "fn main 14
           int r0 0; int r2 90; int r3 1; config r4 r3; config r5 r2; config r6 r0; int r1 0
         loop:
           kind r8 r4; add r1 r1 r8
           move r7 r4; move r4 r5; move r5 r6; move r6 r7
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
];

/// Each time the inner loop begins with another object that is promoted in it.
pub const PROMOTED: &str = "fn main 12
       int r0 0; int r2 15; int r3 1; int r9 3; config r4 r3; config r5 r2; config r8 r9; int r1 0
     outer:
       mod r6 r0 r9; move r7 r4
       jump-if r6 other
       jump on
     other:
       move r7 r5; sub r6 r6 r3
       jump-if r6 on
       move r7 r8
     on:
       int r10 0; int r11 12
     loop:
       kind r6 r7; add r1 r1 r6; add r10 r10 r3
       back-less r10 r11 loop
       add r0 r0 r3
       back-less r0 r2 outer
       return r1";
