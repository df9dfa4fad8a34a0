//! Stable fields are written while traces that rely on them run, or are recorded.

use super::Text;

pub const PROGRAMS: &[Text] = &[
    (
        "a stable field is written in an inlined call",
        "fn main 9
           int r0 0; int r2 80; int r3 1; config r4 r3; int r5 0
         loop:
           version r6 r4; add r1 r1 r6
           call r6 sometimes r4 2
           version r6 r4; add r1 r1 r6; move r5 r0
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn sometimes 5
           int r2 30; same r3 r1 r2
           jump-if r3 write
           return r3
         write:
           version r4 r0; add r4 r4 r2; set-version r0 r4
           version r4 r0
           return r4",
    ),
    (
        "a native in an inlined call writes a stable field that caller and callee rely on",
        "fn main 9
           int r0 0; int r2 80; int r3 1; config r4 r3
         loop:
           version r6 r4; move r5 r0
           call r7 callee r4 2
           add r1 r1 r7; version r7 r4; add r1 r1 r7; add r1 r1 r6
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn callee 6
           int r2 16; version r3 r0; div r4 r1 r2; poke-version r0 r4; version r5 r0; add r3 r3 r5
           return r3",
    ),
    (
        "a stable field is written in a bridge",
        "fn main 10
           int r0 0; int r2 90; int r3 1; config r4 r3; int r7 40; int r8 20
         loop:
           version r5 r4; add r1 r1 r5
           jump-less r0 r7 on
           version r5 r4; add r1 r1 r5; mod r6 r0 r8
           jump-if r6 on
           set-version r4 r0
           version r5 r4; add r1 r1 r5
         on:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        // The loop does not read it, so nothing but the bridge's own check can find out.
        "only a bridge relies on a stable field",
        "fn main 10
           int r0 1; int r2 90; int r3 1; config r4 r3; int r7 2; int r8 60
         loop:
           mod r6 r0 r7
           jump-if r6 odd
         on:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         odd:
           version r5 r4; add r1 r1 r5; jump-less r0 r8 on
           set-version r4 r0; set-first r9 r0
         after:
           int r8 1000
           jump on
         caught:
           jump after
           try odd after r5 caught",
    ),
    (
        "two bridges, one relies on a stable field that the other writes",
        "fn main 10
           int r0 0; int r2 90; int r3 1; config r4 r3; int r7 3
         loop:
           mod r6 r0 r7; sub r6 r6 r3
           jump-if r6 other
           version r5 r4; add r1 r1 r5
           jump on
         other:
           jump-less r6 r3 on-write
         on:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         on-write:
           div r8 r0 r2; int r9 45; less r9 r9 r0; add r8 r8 r9; set-version r4 r8
           jump on",
    ),
    (
        "a stable field is written between runs of an inner loop that relies on it",
        "fn main 10
           int r0 0; int r2 9; int r3 1; config r4 r3; int r7 12; int r8 4
         outer:
           int r5 0
         inner:
           version r6 r4; add r1 r1 r6; add r5 r5 r3
           back-less r5 r7 inner
           mod r6 r0 r8
           jump-if r6 on
           set-version r4 r0
         on:
           add r0 r0 r3
           back-less r0 r2 outer
           return r1",
    ),
    (
        "a stable field is written every time, and an object of the same type never",
        "fn main 9
           int r0 0; int r2 80; int r3 1; config r4 r3; config r5 r3; set-version r5 r2
         loop:
           version r6 r4; add r1 r1 r6; version r6 r5; add r1 r1 r6
           set-version r4 r0; version r6 r4; add r1 r1 r6
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "a stable field is written, and the same step fails after",
        "fn main 10
           int r0 0; int r2 80; int r3 1; config r4 r3; int r5 25; int r7 3
         loop:
           mod r6 r0 r7
         both:
           version r8 r4; add r1 r1 r8; div r8 r0 r5; set-version r4 r8; assert r6 r3; version r8 r4; add r1 r1 r8
         after:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           version r8 r4; sub r1 r1 r8
           jump after
           try both after r9 caught",
    ),
];
