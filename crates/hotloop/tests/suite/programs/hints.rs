//! What hints decide must not show.

use super::Text;

pub const PROGRAMS: &[Text] = &[
    (
        "arrays that are looked into, and that are not",
        "fn main 12
           int r0 0; int r2 60; int r3 1; array r4 7; int r5 3; set-item r4 r5 r2
         loop:
           array r6 3; set-item r6 r3 r0; total r7 r6
           total r8 r4; add r1 r1 r7; add r1 r1 r8
           mod r9 r0 r5; set-item r4 r9 r0
         both:
           array r6 5; set-item r6 r3 r0; total r7 r6; set-item r4 r3 r7; assert r9 r3; total r8 r4; add r1 r1 r8
         after:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           total r8 r4; sub r1 r1 r8; set-item r4 r5 r3
           jump after
           try both after r10 caught",
    ),
    (
        "a total that fails",
        "fn main 12
           int r0 0; int r2 60; int r3 1; int r5 7; array r4 2; array r6 9
         loop:
           mod r7 r0 r5; jump-if r7 fine
           null r8; set-item r4 r3 r8; set-item r6 r3 r8
         fine:
           total r9 r4; add r1 r1 r9
         second:
           total r9 r6; add r1 r1 r9
         after:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           add r1 r1 r3; set-item r4 r3 r0
           jump after
         again:
           sub r1 r1 r3; set-item r6 r3 r0
           jump after
           try fine second r10 caught
           try second after r10 again",
    ),
    (
        "elidable and loop-invariant natives, and one that is not in the trace",
        "fn main 8
           int r0 0; int r2 60; int r3 1; int r5 3; cell r7 r0
         loop:
           hash-const r4 r0; add r1 r1 r4; limit r4; add r1 r1 r4; watch r0
           mod r6 r0 r5
         both:
           cell-set r7 r0; limit r4; watch r7; hash-const r6 r6; cell-set r7 r6; assert r6 r2; limit r4
         after:
           cell-get r4 r7; add r1 r1 r4; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           limit r4; add r1 r1 r4; cell-get r4 r7; add r1 r1 r4; watch r1
           jump after
           try both after r6 caught",
    ),
    (
        "results and types that the author knows",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r5 5; array r4 5
         loop:
           square r6 r0; square-root r7 r6; add r1 r1 r7; add r6 r6 r3; square-root r7 r6; add r1 r1 r7
           low-bit r7 r0; add r1 r1 r7
           mod r8 r0 r5; pair r7 r0 r8
         put:
           set-item r4 r8 r7; mod r7 r1 r5; item r7 r4 r7
         sure:
           sure-first r7 r7; add r1 r1 r7; square r7 r8; square-root r7 r7; assert r7 r5; add r1 r1 r7
         after:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           add r1 r1 r3; set-item r4 r8 r0
           jump after
           try sure after r9 caught",
    ),
    (
        // Replay must go the way that the recording went.
        "steps that do different things by what is known, then a guard",
        "fn main 12
           int r0 0; int r2 60; int r3 1; int r5 3; cell r4 r0
         loop:
           mod r6 r0 r5
         both:
           if-constant r4 r0; if-constant r4 r3; if-jitted r4; assert r6 r3; if-constant r4 r5; count r7 r4; add r1 r1 r7
         virtual:
           int r8 4; pair r7 r8 r0; if-virtual r7 r7; if-constant r4 r7; linked r9 r4; if-virtual r9 r9; assert r6 r3; add r1 r1 r9
         after:
           linked r7 r4; second r7 r7; add r1 r1 r7; count r7 r4; add r1 r1 r7; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           linked r7 r4; first r7 r7; add r1 r1 r7; count r7 r4; sub r1 r1 r7
           jump virtual
         again:
           linked r7 r4; if-virtual r7 r7; sub r1 r1 r7; cell-get r7 r4; add r1 r1 r7
           jump after
           try both virtual r8 caught
           try virtual after r8 again",
    ),
    (
        "calls that are made or not",
        "fn main 12
           int r0 0; int r2 80; int r3 1; int r5 7; int r8 4; cell r4 r0; cell r9 r0
         loop:
           mod r6 r0 r5; at-least r4 r6; cell-get r7 r4; add r1 r1 r7; cached r7 r9; add r1 r1 r7
           cell r10 r6; at-least r10 r8; cached r7 r10; add r1 r1 r7; cached r7 r10; add r1 r1 r7
         both:
           sub r6 r6 r3; cell-set r4 r6; at-least r4 r8; cached r7 r9; cell r9 r7; cached r7 r9; assert r6 r8; at-least r4 r5
         after:
           cell-get r7 r4; add r1 r1 r7; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           cell-get r7 r4; sub r1 r1 r7; count r7 r9; sub r1 r1 r7; cell-set r4 r0
           jump after
           try both after r11 caught",
    ),
];
