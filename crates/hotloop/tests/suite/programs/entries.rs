//! Calls of compiled entries: recursion that returns, raises and is left in the middle.

use super::Text;

pub const PROGRAMS: &[Text] = &[
    (
        "several ways to return (Ackermann)",
        "fn main 4
           int r0 2; int r1 3
           call r2 ack r0 2
           return r2
         fn ack 6
           int r2 1
           jump-if r0 more
           add r3 r1 r2; return r3
         more:
           jump-if r1 most
           sub r3 r0 r2; move r4 r2
           call r3 ack r3 2
           return r3
         most:
           move r3 r0; sub r4 r1 r2
           call r4 ack r3 2
           sub r3 r0 r2
           call r3 ack r3 2
           return r3",
    ),
    (
        "three calls as arguments of a fourth (Takeuchi)",
        "fn main 5
           int r0 7; int r1 4; int r2 2
           call r3 tak r0 3
           return r3
         fn tak 12
           jump-less r1 r0 on
           return r2
         on:
           int r3 1
           sub r4 r0 r3; move r5 r1; move r6 r2
           call r7 tak r4 3
           sub r4 r1 r3; move r5 r2; move r6 r0
           call r8 tak r4 3
           sub r4 r2 r3; move r5 r0; move r6 r1
           call r9 tak r4 3
           call r10 tak r7 3
           return r10",
    ),
    (
        "the callee changes what the caller has at hand",
        "fn main 8
           int r0 0; int r2 40; int r3 1
         loop:
           pair r4 r0 r1; cell r5 r0; int r6 3
           call r6 deep r4 3
           first r7 r4; add r1 r1 r7
           cell-get r7 r5; add r1 r1 r7; count r7 r5; add r1 r1 r7
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn deep 8
           jump-if r2 more
           return r0
         more:
           int r3 1; first r4 r0; add r4 r4 r3; set-first r0 r4
           bump r1; cell-set r1 r2
           move r4 r0; move r5 r1; sub r6 r2 r3
           call r7 deep r4 3
           first r4 r7; second r5 r7; set-second r7 r4; set-first r7 r5
           return r7",
    ),
    (
        "an exception from the depths, caught half-way up",
        "fn main 6
           int r0 0; int r2 60; int r3 1
         loop:
           int r5 9; mod r4 r0 r5
           call r4 down r4 1
         back:
           add r1 r1 r4
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         escaped:
           jump back
           try loop back r4 escaped
         fn down 8
           int r1 1; int r2 5
           jump-if r0 more
           raise r2
         more:
           sub r3 r0 r1
           mod r4 r0 r2
           jump-if r4 bare
         try-it:
           call r5 down r3 1
         after:
           add r5 r5 r0
           return r5
         caught:
           add r5 r6 r1
           jump after
         bare:
           call r5 down r3 1
           return r5
           try try-it after r6 caught",
    ),
    (
        "a loop in a recursive function",
        "fn main 5
           int r0 4
           call r1 tree r0 1
           return r1
         fn tree 9
           int r1 1; int r2 0; int r3 0
           jump-if r0 more
           return r1
         more:
           sub r4 r0 r1; int r5 3
         loop:
           call r6 tree r4 1
           add r2 r2 r6; add r3 r3 r1
           back-less r3 r5 loop
           return r2",
    ),
    (
        "a generator is resumed at every depth",
        "fn main 6
           int r0 0; int r2 12; int r3 1; generator r4 count r0; set-global 1 r4
         loop:
           int r5 5
           call r5 down r5 1
           add r1 r1 r5
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn down 7
           int r1 1; global r2 1
           resume r3 r2 r0
           jump-if r0 more
           return r3
         more:
           sub r4 r0 r1
           call r5 down r4 1
           add r5 r5 r3
           return r5
         fn count 4
           int r1 1
         loop:
           add r0 r0 r1
           yield r2 r0
           back loop",
    ),
    (
        "natives look at the frames from the depths",
        "fn main 6
           int r0 0; int r2 9; int r3 1
         loop:
           int r4 4
           call r5 down r4 1
           add r1 r1 r5
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn down 8
           int r1 1; int r2 3
           jump-if r0 more
           walk r3; chain; caller-slot r4 0; set-caller-slot 6 r4
           return r3
         more:
           sub r3 r0 r1
           call r5 down r3 1
           mod r4 r0 r2
           jump-if r4 plain
           my-slot r7 6; add r5 r5 r7
         plain:
           return r5",
    ),
    (
        "a caller's frame is read and written through the heap",
        "fn main 8
           int r0 0; int r2 30; int r3 1; this-frame r4; set-global 2 r4
         loop:
           add r5 r0 r3; int r6 3
           call r6 down r6 1
           add r1 r1 r6; add r1 r1 r7
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn down 8
           int r1 1
           jump-if r0 more
           global r2 2; frame-slot r3 r2 5; set-frame-slot r2 7 r3
           return r3
         more:
           sub r3 r0 r1
           call r4 down r3 1
           return r4",
    ),
    (
        "a recursive frame keeps itself in the heap",
        "fn main 6
           int r0 0; int r2 25; int r3 1
         loop:
           int r4 3
           call r4 down r4 1
           add r1 r1 r4
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn down 8
           int r1 1
           jump-if r0 more
           global r2 2; frame-slot r3 r2 0
           return r3
         more:
           this-frame r2; set-global 2 r2
           sub r3 r0 r1; add r5 r0 r0
           call r4 down r3 1
           frame-slot r6 r2 5; add r4 r4 r6
           return r4",
    ),
    (
        "a global that the trace takes for constant is set in the depths",
        "fn main 8
           int r0 0; int r2 40; int r3 1; int r4 5; config r5 r4; set-global 3 r5
         loop:
           int r6 3
           call r6 down r6 1
           version r7 r5; add r1 r1 r7; add r1 r1 r6
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn down 9
           int r1 1; global r2 3; version r3 r2; int r4 17
           jump-if r0 more
           next r5; mod r5 r5 r4
           jump-if r5 same
           add r3 r3 r1; set-version r2 r3
         same:
           return r3
         more:
           sub r5 r0 r1
           call r6 down r5 1
           version r7 r2; add r6 r6 r7; add r6 r6 r3
           return r6",
    ),
    (
        "new objects are returned from two places while the callers' frames are made",
        "fn main 6
           int r0 0; int r2 40; int r3 1
         loop:
           int r4 12; move r5 r0
           call r4 down r4 2
           first r4 r4; add r1 r1 r4
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn down 6
           int r2 1; int r3 3
           jump-if r0 more
           mod r4 r1 r3
           jump-if r4 other
           pair r5 r1 r1
           return r5
         other:
           pair r5 r4 r1
           return r5
         more:
           sub r4 r0 r2; move r5 r1
           call r4 down r4 2
           return r4",
    ),
];
