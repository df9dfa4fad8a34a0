//! Steps that do several things before a guard fails: each of the rules of replay in turn.
//!
//! In all of them the `assert` fails now and then, after the step has had its effects; the handler then
//! looks at what became of them.

use super::Text;

pub const PROGRAMS: &[Text] = &[
    (
        // Done again, the write would undo the call.
        "a write, a call that overwrites it, a guard",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r5 3; cell r4 r0
         loop:
           mod r6 r0 r5
         both:
           cell-set r4 r0; advance r4; assert r6 r3; cell-get r7 r4
           add r1 r1 r7
         after:
           cell-get r7 r4; add r1 r1 r7; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           cell-get r8 r4; mul r8 r8 r5; add r1 r1 r8
           jump after
           try both after r8 caught",
    ),
    (
        "a write, a call that writes nothing here, a write, a guard",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r5 3; cell r4 r0; cell r9 r0
         loop:
           mod r6 r0 r5
         both:
           cell-set r4 r0; poke r9 r2; cell-set r4 r3; cell-get r7 r9; assert r6 r3; cell-set r9 r7
         after:
           cell-get r7 r4; add r1 r1 r7; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           cell-get r8 r4; add r1 r1 r8
           jump after
           try both after r8 caught",
    ),
    (
        "a call that counts, a guard",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r5 3
         loop:
           mod r6 r0 r5
         both:
           next r4; assert r6 r3; add r1 r1 r4
         after:
           add r1 r1 r4; add r0 r0 r3
           back-less r0 r2 loop
           next r4; add r1 r1 r4
           return r1
         caught:
           sub r1 r1 r4
           jump after
           try both after r8 caught",
    ),
    (
        "output, a guard",
        "fn main 10
           int r0 0; int r2 40; int r3 1; int r5 3
         loop:
           mod r6 r0 r5
         both:
           print r0; assert r6 r3; print r6
         after:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           print r8
           jump after
           try both after r8 caught",
    ),
    (
        "an object is made and stored in a real one, a guard",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r5 3; cell r4 r0
         loop:
           mod r6 r0 r5
         both:
           pair r7 r0 r6; cell-set r4 r7; assert r6 r3; set-first r7 r2
         after:
           cell-get r9 r4; same r9 r9 r7; add r1 r1 r9; add r0 r0 r3
           back-less r0 r2 loop
           set-global 0 r4
           return r1
         caught:
           cell-get r8 r4; same r9 r8 r7; add r1 r1 r9; first r9 r8; add r1 r1 r9; set-first r7 r9
           jump after
           try both after r8 caught",
    ),
    (
        "an object is made and handed to a call, a guard",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r5 3; cell r4 r0
         loop:
           mod r6 r0 r5
         both:
           pair r7 r0 r6; cell r4 r7; scribble r7 r2; first r9 r7; assert r6 r3; set-first r7 r9
         after:
           first r9 r7; add r1 r1 r9; cell-get r9 r4; same r9 r9 r7; add r1 r1 r9; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           second r9 r7; add r1 r1 r9; cell-get r9 r4; first r9 r9; add r1 r1 r9
           jump after
           try both after r8 caught",
    ),
    (
        // Done again, the read would see the write.
        "a read, a write to the same place, a guard",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r5 3; cell r4 r0
         loop:
           mod r6 r0 r5
         both:
           count r7 r4; bump r4; cell-get r9 r4; cell-set r4 r0; assert r6 r3; add r1 r1 r7
         after:
           add r1 r1 r7; add r1 r1 r9; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           sub r1 r1 r7; add r1 r1 r9
           jump after
           try both after r8 caught",
    ),
    (
        "a read, a call that writes the same place, a guard",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r5 3; cell r4 r0
         loop:
           mod r6 r0 r5
         both:
           cell-get r7 r4; advance r4; cell-get r9 r4; assert r6 r3; add r1 r1 r7
         after:
           add r1 r1 r7; add r1 r1 r9; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           sub r1 r1 r7; sub r1 r1 r9
           jump after
           try both after r8 caught",
    ),
    (
        "an array's item is read and written at a variable index, a guard",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r5 3; array r4 3; int r7 0
         loop:
           mod r6 r0 r5
         both:
           item r7 r4 r6; add r9 r7 r0; set-item r4 r6 r9; assert r6 r3; add r1 r1 r7
         after:
           item r7 r4 r6; add r1 r1 r7; add r0 r0 r3
           back-less r0 r2 loop
           set-global 1 r4
           return r1
         caught:
           sub r1 r1 r7
           jump after
           try both after r8 caught",
    ),
    (
        // The snapshot shows the object as it was when the step began.
        "a virtual object is changed twice, a guard in between",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r5 3
         loop:
           mod r6 r0 r5; pair r4 r0 r3
         both:
           first r7 r4; add r7 r7 r3; set-first r4 r7; assert r6 r3; set-second r4 r7
         after:
           first r7 r4; add r1 r1 r7; second r7 r4; add r1 r1 r7; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           first r8 r4; add r1 r1 r8
           jump after
           try both after r8 caught",
    ),
    (
        "registers are changed twice, guards in between",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r5 3
         loop:
           mod r6 r0 r5
         both:
           add r4 r4 r3; assert r6 r5; add r4 r4 r3; assert r6 r3; add r4 r4 r3
         after:
           add r1 r1 r4; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           add r1 r1 r8
           jump after
           try both after r8 caught",
    ),
    (
        "a store is put off past a guard",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r5 3; cell r4 r0; set-global 3 r4
         loop:
           cell-set r4 r0; bump r4; weigh r4 r3
           mod r6 r0 r5
           jump-if r6 on
           global r7 3; cell-get r7 r7; add r1 r1 r7
         on:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "a virtual object is stored in a real one: the store is put off, the object is not virtual",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r5 3; cell r4 r0; set-global 3 r4
         loop:
           pair r7 r0 r3; link r4 r7; cell-set r4 r7
           mod r6 r0 r5
           jump-if r6 on
           linked r8 r4; cell-get r9 r4; same r9 r8 r9; add r1 r1 r9; first r9 r8; add r1 r1 r9
         on:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "a call that writes, then raises",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r5 3; cell r4 r0
         loop:
           mod r6 r0 r5
         both:
           cell-set r4 r2; poke-odd r7 r4 r6; cell-get r9 r4; add r1 r1 r7; add r1 r1 r9
         after:
           cell-get r7 r4; add r1 r1 r7; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           add r1 r1 r8; cell-set r4 r5
           jump after
           try both after r8 caught",
    ),
    (
        "a call that may do anything, then a guard, in a step that wrote registers",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r5 3; cell r4 r0
         loop:
           mod r6 r0 r5
         both:
           add r9 r9 r3; any-poke r7 r4 r0; add r9 r9 r3; assert r6 r3; add r9 r9 r7
         after:
           count r7 r4; add r1 r1 r7; add r1 r1 r9; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           add r1 r1 r9; cell-set r4 r2
           jump after
           try both after r8 caught",
    ),
    (
        "two calls with a guard after each",
        "fn main 12
           int r0 0; int r2 60; int r3 1; int r5 3; int r11 4; cell r4 r0
         loop:
           mod r6 r0 r5; mod r10 r0 r11
         both:
           next r7; advance r4; assert r6 r3; next r9; advance r4; assert r10 r3; add r1 r1 r9
         after:
           cell-get r8 r4; add r1 r1 r8; add r1 r1 r7; add r1 r1 r9; add r0 r0 r3
           back-less r0 r2 loop
           next r7; add r1 r1 r7
           return r1
         caught:
           add r1 r1 r8
           jump after
           try both after r8 caught",
    ),
    (
        "everything at once",
        "fn main 14
           int r0 0; int r2 60; int r3 1; int r5 3; cell r4 r0; int r11 4
         loop:
           mod r6 r0 r5; mod r12 r0 r11
         both:
           pair r7 r0 r4; cell-get r9 r4; cell-set r4 r7; peek r10 r4; advance r4; set-first r7 r9; assert r6 r3; link r4 r7; next r13; set-my-slot 9 r13; assert r12 r3; scribble r7 r9
         after:
           cell-get r8 r4; print r8; first r8 r7; print r8; print r9; cell-set r4 r0; add r0 r0 r3
           back-less r0 r2 loop
           return r4
         caught:
           print r8; linked r8 r4; same r8 r8 r7; print r8; same r8 r10 r7; print r8
           jump after
           try both after r8 caught",
    ),
    (
        "in an inlined callee: writes to its registers and its caller's objects, then a guard",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r5 3; cell r4 r0
         loop:
           call r6 callee r3 3
         after:
           add r1 r1 r6; cell-get r7 r4; add r1 r1 r7; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           add r1 r1 r8; count r7 r4; add r1 r1 r7; add r6 r3 r3
           jump after
           try loop after r8 caught
         fn callee 8
           cell-get r3 r1; mod r4 r3 r2; add r5 r3 r0
           cell-set r1 r5; bump r1; add r6 r5 r0; assert r4 r0; add r6 r6 r5
           return r6",
    ),
];
