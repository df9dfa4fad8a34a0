//! Values, objects, arrays, natives.

use super::Text;

pub const PROGRAMS: &[Text] = &[
    (
        "sum",
        "fn main 4
           int r0 0; int r1 0; int r2 100; int r3 1
         loop:
           add r1 r1 r0
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "floats",
        "fn main 5
           int r0 0; int r2 90; int r3 1; float r1 0.5
         loop:
           add r1 r1 r0
           mul r1 r1 r4; float r4 0.75; add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "float overflows the immediate range, and comes back",
        "fn main 6
           int r0 0; int r2 60; int r3 1; float r1 1.5; float r4 1e9; float r5 1e-9
         loop:
           mul r1 r1 r4
           jump-less r0 r2 on
         on:
           add r0 r0 r3
           back-less r0 r2 loop
           int r0 0
         down:
           mul r1 r1 r5
           add r0 r0 r3
           back-less r0 r2 down
           return r1",
    ),
    (
        "overflow is caught",
        "fn main 6
           int r0 0; int r2 80; int r3 1; int r1 3
         loop:
           mul r1 r1 r1
         after:
           add r0 r0 r3
           back-less r0 r2 loop
           return r4
         caught:
           add r4 r4 r3; int r1 5
           jump after
           try loop after r5 caught",
    ),
    (
        "division by zero is caught",
        "fn main 8
           int r0 0; int r2 70; int r3 1; int r6 7
         loop:
           mod r1 r0 r6
           div r5 r2 r1; add r4 r4 r5
         after:
           add r0 r0 r3
           back-less r0 r2 loop
           return r4
         caught:
           add r4 r4 r3
           jump after
           try loop after r7 caught",
    ),
    (
        "mixing integers",
        "fn main 8
           int r0 0; int r2 100; int r3 1; int r1 77
         loop:
           mix r1 r1 r0; xor r4 r1 r4; and r5 r1 r2; min r6 r5 r0
           add r7 r7 r6; add r0 r0 r3
           back-less r0 r2 loop
           add r7 r7 r4
           return r7",
    ),
    (
        "a pair that stays virtual",
        "fn main 7
           int r0 0; int r2 100; int r3 1
         loop:
           pair r4 r0 r3
           first r5 r4; second r6 r4
           add r1 r1 r5
           add r1 r1 r6
           add r0 r0 r6
           back-less r0 r2 loop
           return r1",
    ),
    (
        "a pair that is carried round the loop",
        "fn main 7
           int r0 0; int r2 100; int r3 1
           pair r4 r0 r0
         loop:
           first r5 r4
           add r5 r5 r0
           pair r4 r5 r4
           pair r4 r5 r6
           add r0 r0 r3
           back-less r0 r2 loop
           return r4",
    ),
    (
        "a list",
        "fn main 7
           int r0 0; int r2 60; int r3 1; null r4
         loop:
           pair r4 r0 r4
           add r0 r0 r3
           back-less r0 r2 loop
           int r1 0; move r5 r4
         sum:
           first r6 r5; add r1 r1 r6
           second r5 r5
           jump-if r5 more
           set-global 2 r4
           return r1
         more:
           back sum",
    ),
    (
        "virtual objects that refer to each other leave through a guard",
        "fn main 9
           int r0 0; int r2 60; int r3 1; int r7 20
         loop:
           pair r4 r0 r3; cell r5 r4; set-second r4 r5; link r5 r4
           jump-less r0 r7 on
           set-global 1 r4
         on:
           linked r6 r5; same r8 r6 r4; add r1 r1 r8
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "an object escapes into a global every time",
        "fn main 6
           int r0 0; int r2 60; int r3 1
         loop:
           pair r4 r0 r3; set-global 3 r4
           set-first r4 r2
           global r5 3; first r5 r5; add r1 r1 r5
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "a cell's value, count, weight",
        "fn main 7
           int r0 0; int r2 90; int r3 1; cell r4 r0; float r6 0.25
         loop:
           bump r4
           weigh r4 r6
           cell-get r5 r4; add r5 r5 r0; cell-set r4 r5
           add r0 r0 r3
           back-less r0 r2 loop
           count r5 r4; weight r6 r4; print r6
           return r4",
    ),
    (
        "two cells that are one after a while",
        "fn main 8
           int r0 0; int r2 60; int r3 1; cell r4 r0; cell r5 r3; int r7 30
         loop:
           cell-set r4 r0; cell-set r5 r2; cell-get r6 r4; add r1 r1 r6
           jump-less r0 r7 on
           move r5 r4
         on:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "an optional link",
        "fn main 8
           int r0 0; int r2 70; int r3 1; cell r4 r0; int r7 3
         loop:
           null r6; mod r5 r0 r7
           jump-if r5 without
           pair r6 r0 r3
         without:
           link r4 r6
           linked r6 r4; is-pair r6 r6; add r1 r1 r6
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "an array with a variable index",
        "fn main 9
           int r0 0; int r2 80; int r3 1; array r4 16; int r5 16
         loop:
           mod r6 r0 r5
           set-item r4 r6 r0
           item r7 r4 r3; item r8 r4 r6
           add r1 r1 r7; add r1 r1 r8
           length r7 r4; add r1 r1 r7
           add r0 r0 r3
           back-less r0 r2 loop
           set-global 0 r4
           return r1",
    ),
    (
        "an index out of range is caught",
        "fn main 9
           int r0 0; int r2 80; int r3 1; array r4 16; int r5 19
         loop:
           mod r6 r0 r5
           item r7 r4 r6; add r7 r7 r3; set-item r4 r6 r7
         after:
           add r0 r0 r3
           back-less r0 r2 loop
           set-global 0 r4
           return r1
         caught:
           add r1 r1 r3
           jump after
           try loop after r7 caught",
    ),
    (
        "an array that stays virtual, until one index is variable",
        "fn main 9
           int r0 0; int r2 60; int r3 1; int r5 2
         loop:
           array r4 4; int r6 0; set-item r4 r6 r0; set-item r4 r3 r2
           item r7 r4 r6; add r1 r1 r7
           and r6 r0 r3; item r7 r4 r6; add r1 r1 r7
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "bytes are cut off",
        "fn main 9
           int r0 0; int r2 90; int r3 1; bytes r4 8; int r5 8; int r8 37
         loop:
           mod r6 r0 r5; mul r7 r0 r8
           set-byte r4 r6 r7; byte r7 r4 r6; add r1 r1 r7
           set-byte r4 r3 r2; byte r7 r4 r3; add r1 r1 r7
           add r0 r0 r3
           back-less r0 r2 loop
           set-global 5 r4
           return r1",
    ),
    (
        "a stable field is written in between",
        "fn main 9
           int r0 0; int r2 80; int r3 1; config r4 r3; int r7 40
         loop:
           version r5 r4; add r1 r1 r5; kind r6 r4; add r1 r1 r6
           same r8 r0 r7
           jump-if r8 change
         on:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         change:
           set-version r4 r7
           jump on",
    ),
    (
        "a stable field is written in the step that reads it",
        "fn main 9
           int r0 0; int r2 50; int r3 1; config r4 r3; int r7 3; int r8 0
         loop:
           version r5 r4; mod r6 r0 r7; set-version r4 r6; version r6 r4; less r8 r6 r7; add r1 r1 r5
           add r1 r1 r6
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "a native writes a stable field",
        "fn main 9
           int r0 0; int r2 50; int r3 1; config r4 r3; int r7 10
         loop:
           version r5 r4; add r1 r1 r5
           div r6 r0 r7; poke-version r4 r6
           version r5 r4; add r1 r1 r5
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "constants that differ: two objects promoted in turn",
        "fn main 10
           int r0 0; int r2 60; int r3 1; config r4 r3; config r5 r2; int r9 2
         loop:
           mod r6 r0 r9; move r7 r4
           jump-if r6 on
           move r7 r5
         on:
           kind r8 r7; add r1 r1 r8; promote r8 r0; add r1 r1 r8
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "natives that read",
        "fn main 10
           int r0 0; int r2 60; int r3 1; cell r4 r0
         loop:
           cell-set r4 r0; peek r5 r4; add r1 r1 r5
           is-big r6 r0; add r1 r1 r6
           make-pair r7 r0 r1; cell-set r4 r7; pair-of r8 r4; same r9 r7 r8; add r1 r1 r9
           cell-set r4 r3; pair-of r8 r4; is-pair r8 r8; add r1 r1 r8
           next r5; add r1 r1 r5
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "natives that raise",
        "fn main 10
           int r0 0; int r2 60; int r3 1; float r1 0.0; int r6 0
         loop:
           half r4 r0; add r1 r1 r4
         second:
           halves r5 r0; first r4 r5; add r1 r1 r4
         after:
           add r0 r0 r3
           back-less r0 r2 loop
           print r6; print r7
           return r1
         first-fails:
           add r6 r6 r4
           jump second
         second-fails:
           add r7 r7 r5
           jump after
           try loop second r4 first-fails
           try second after r5 second-fails",
    ),
    (
        "elidable natives",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r9 20; int r6 -1
         loop:
           hash r4 r3; hash r5 r0; add r1 r1 r4; add r1 r1 r5
           root r4 r2; root r5 r0; add r1 r1 r4; add r1 r1 r5; root r5 r0; add r1 r1 r5
         fails:
           sub r7 r0 r9; root r7 r7; add r1 r1 r7
         after:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           add r1 r1 r3
           jump after
           try fails after r7 caught",
    ),
    (
        "output comes in order, once",
        "fn main 10
           int r0 0; int r2 30; int r3 1; int r5 2
         loop:
           mod r4 r0 r5; print r0; pair r6 r0 r4; print r6
           jump-if r4 odd
           print r4
         odd:
           add r0 r0 r3
           back-less r0 r2 loop
           return r0",
    ),
    (
        "plain state changes round the loop",
        "fn main 8
           int r0 0; int r2 60; int r3 1; int r5 2
         loop:
           mod r4 r0 r5
           jump-if r4 odd
           paint 1
           jump on
         odd:
           paint 2
         on:
           add r1 r1 r4; add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "nested loops",
        "fn main 8
           int r0 0; int r2 25; int r3 1; int r6 7
         outer:
           int r4 0
         inner:
           add r1 r1 r4; add r4 r4 r3
           back-less r4 r6 inner
           add r0 r0 r3
           back-less r0 r2 outer
           return r1",
    ),
    (
        "types change while it runs",
        "fn main 8
           int r0 0; int r2 80; int r3 1; int r5 40; float r6 0.5
         loop:
           add r1 r1 r3
           same r4 r0 r5
           jump-if r4 change
         on:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         change:
           add r1 r1 r6
           jump on",
    ),
    (
        "a list that grows, of integers and then of anything",
        "fn main 10
           int r0 0; int r2 120; int r3 1; int r8 90; list r4
         loop:
           push r4 r0; at r5 r4 r0; add r1 r1 r5; size r6 r4; add r1 r1 r6
           jump-less r0 r8 on
           pair r7 r0 r3; push r4 r7; pop r9 r4; same r9 r9 r7; add r1 r1 r9
         on:
           add r0 r0 r3
           back-less r0 r2 loop
           return r4",
    ),
    (
        "a list is emptied",
        "fn main 10
           int r0 0; int r2 120; int r3 1; list r4
         loop:
           push r4 r0; push r4 r1; pop r5 r4; add r1 r1 r5
           add r0 r0 r3
           back-less r0 r2 loop
         down:
           pop r5 r4; add r1 r1 r5
         again:
           back down
         caught:
           return r1
           try down again r6 caught",
    ),
    (
        "bytes are cut off, virtual or not",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r5 250; bytes r7 3
         loop:
           bytes r4 2; add r6 r0 r5; set-byte r4 r3 r6; byte r8 r4 r3; add r1 r1 r8
           set-byte r7 r3 r6; byte r8 r7 r3; add r1 r1 r8
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "slices of bytes that are only compared",
        "fn main 12
           int r0 0; int r2 100; int r3 1; int r5 11; bytes r4 8; bytes r6 2; int r7 2
           set-byte r4 r7 r7; set-byte r4 r3 r3; set-byte r6 r3 r7
         loop:
           slice r8 r4 r5; same-bytes r9 r8 r6; add r1 r1 r9
           mod r10 r0 r2; slice r8 r4 r10; same-bytes r9 r8 r6; add r1 r1 r9
         on:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           sub r1 r1 r3
           jump on
           try loop on r11 caught",
    ),
    (
        "items are copied within an array, and what was copied is written after",
        "fn main 12
           int r0 0; int r2 100; int r3 1; array r4 8; int r5 0; int r6 2; int r8 35; int r9 135
         loop:
           set-item r4 r5 r0; set-item r4 r3 r1; set-item r4 r6 r3; copy-items r4 r4 r8; copy-items r4 r4 r9
           item r7 r4 r3; add r1 r1 r7; mod r10 r0 r2; copy-items r4 r4 r10; item r7 r4 r6; mod r7 r7 r2; add r1 r7 r0
         on:
           add r0 r0 r3
           back-less r0 r2 loop
           return r4
         caught:
           add r1 r3 r0
           jump on
           try loop on r11 caught",
    ),
    (
        "copies to an array that is not allocated, then a write to their source and a guard",
        "fn main 14
           int r0 0; int r2 100; int r3 1; array r4 8; int r5 3; int r6 0; int r9 5; array r13 4
         loop:
           mod r8 r0 r9
         both:
           array r7 3; promote r11 r5; copy-items r7 r4 r11; set-item r4 r6 r0; set-item r4 r3 r1; item r10 r7 r6; assert r8 r5; copy-items r13 r7 r11; item r11 r7 r3; add r1 r10 r3
         on:
           item r10 r7 r6; set-item r13 r5 r10; add r0 r0 r3
           back-less r0 r2 loop
           return r13
         caught:
           item r10 r7 r6; mul r1 r1 r3; add r1 r10 r3; item r10 r7 r3; set-item r13 r3 r10
           jump on
           try both on r12 caught",
    ),
    (
        "an object in an array is found under another name",
        "fn main 12
           int r0 0; int r2 100; int r3 1; int r6 2
         loop:
           array r4 8; mod r5 r0 r6; cell r7 r3; set-item r4 r5 r7; item r8 r4 r5; cell-set r8 r0; cell-get r9 r7; add r1 r1 r9
           array r4 8; cell r7 r3; set-item r4 r6 r7; mul r5 r5 r3; add r5 r6 r5; item r8 r4 r5
         on:
           cell-set r8 r0; cell-get r9 r7; add r1 r1 r9
         after:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           add r1 r1 r3
           jump after
           try on after r11 caught",
    ),
    (
        "items are filled",
        "fn main 10
           int r0 0; int r2 60; int r3 1; array r4 8; int r5 5; array r8 5
         loop:
           mod r6 r0 r5; fill-items r4 r6 r0; item r7 r4 r6; add r1 r1 r7
           array r8 5; fill-items r8 r3 r4; item r9 r8 r3; same r9 r9 r4; add r1 r1 r9
           add r0 r0 r3
           back-less r0 r2 loop
           return r8",
    ),
];
