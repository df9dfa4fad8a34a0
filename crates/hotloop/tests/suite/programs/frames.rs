//! The virtualizable, seen and written from outside (after RPython's `test_virtualizable.py`).

use super::Text;

/// The recorded iteration keeps the frame, and leaves the loop.
pub const KEPT_AT_THE_END: &str =
    "a frame that is kept in the iteration that leaves the loop is not used again";

pub const PROGRAMS: &[Text] = &[
    (
        "a reader outside sees the current registers",
        "fn main 8
           int r0 0; int r2 60; int r3 1
         loop:
           add r4 r0 r0
           my-slot r5 4; add r1 r1 r5
           my-slot r5 0; add r1 r1 r5
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "a writer outside is seen by the loop",
        "fn main 8
           int r0 0; int r2 60; int r3 1; int r5 3
         loop:
           set-my-slot 4 r0; add r1 r1 r4
           mod r6 r0 r5
           jump-if r6 on
           set-my-slot 1 r0
         on:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "written, then written from outside, then a guard, in one step",
        "fn main 8
           int r0 0; int r2 60; int r3 1; int r5 3
         loop:
           mod r6 r0 r5
         both:
           move r4 r2; set-my-slot 4 r0; assert r6 r3; add r1 r1 r4
         after:
           add r1 r1 r4; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           add r1 r1 r4
           jump after
           try both after r7 caught",
    ),
    (
        "force, then raise through the loop",
        "fn main 8
           int r0 0; int r2 60; int r3 1; int r5 3
         loop:
           mod r6 r0 r5
         both:
           odd-slot 4 r6; add r1 r1 r4
         after:
           add r1 r1 r4; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           add r1 r1 r7
           jump after
           try both after r7 caught",
    ),
    (
        "someone walks the chain",
        "fn main 8
           int r0 0; int r2 60; int r3 1
         loop:
           call r4 middle r0 1
           add r1 r1 r4
           walk r4; add r1 r1 r4
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn middle 3
           int r1 77
           call r2 inner r0 1
           return r2
         fn inner 4
           int r1 5; mod r2 r0 r1; add r3 r0 r1
           jump-if r2 seldom
           walk r3
         seldom:
           return r3",
    ),
    (
        "a callee reads and writes its caller's registers",
        "fn main 8
           int r0 0; int r2 60; int r3 1
         loop:
           pair r5 r0 r3
           call r4 callee r0 1
           add r1 r1 r4; add r1 r1 r6; first r7 r5; add r1 r1 r7
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn callee 5
           caller-slot r1 0; set-caller-slot 6 r1
           caller-slot r2 5; int r3 5; set-first r2 r3
           add r1 r1 r0
           return r1",
    ),
    (
        "a callee writes its caller's registers, then a guard fails",
        "fn main 8
           int r0 0; int r2 60; int r3 1
         loop:
           call r4 callee r0 1
         after:
           add r1 r1 r4; add r1 r1 r6; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           add r1 r1 r7
           jump after
           try loop after r7 caught
         fn callee 6
           int r1 3; mod r2 r0 r1; int r3 1
           add r4 r0 r0; set-caller-slot 6 r4; assert r2 r3; set-caller-slot 4 r4; add r4 r4 r0
           return r4",
    ),
    (
        "what a reader got through the frame is the object the loop uses",
        "fn main 8
           int r0 0; int r2 60; int r3 1
         loop:
           pair r4 r0 r3
           my-slot r5 4; same r6 r4 r5; add r1 r1 r6
           scribble r5 r2; first r6 r4; add r1 r1 r6
           my-slot r5 4; set-second r5 r0; second r6 r4; add r1 r1 r6; same r6 r4 r5; add r1 r1 r6
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "a frame as a value, in its own register",
        "fn main 8
           int r0 0; int r2 60; int r3 1
           this-frame r4
         loop:
           frame-slot r5 r4 0; add r1 r1 r5
           set-frame-slot r4 6 r0; add r1 r1 r6
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "a frame escapes every time",
        "fn main 8
           int r0 0; int r2 60; int r3 1
         loop:
           this-frame r4; set-global 1 r4
           global r5 1; frame-slot r6 r5 0; add r1 r1 r6
           set-frame-slot r5 7 r0; add r1 r1 r7
           add r0 r0 r3
           back-less r0 r2 loop
           null r4; set-global 1 r4
           return r1",
    ),
    (
        "a callee gets its caller's frame as an argument",
        "fn main 8
           int r0 0; int r2 60; int r3 1
         loop:
           this-frame r4; move r5 r0
           call r6 callee r4 2
           add r1 r1 r6; add r1 r1 r5
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn callee 4
           frame-slot r2 r0 0; add r2 r2 r1
           set-frame-slot r0 5 r2
           frame-slot r3 r0 5
           add r3 r3 r2
           return r3",
    ),
    (
        "a callee's frame is kept after it has returned",
        "fn main 8
           int r0 0; int r2 60; int r3 1; int r7 4
         loop:
           call r4 callee r0 1
           frame-slot r5 r4 0; add r1 r1 r5; frame-slot r5 r4 1; add r1 r1 r5
           mod r6 r0 r7
           jump-if r6 on
           set-global 2 r4
         on:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn callee 3
           add r1 r0 r0; note r1
           this-frame r2
           return r2",
    ),
    (
        "another frame of the same function, held in a global, is not this one",
        "fn main 8
           int r0 0; int r2 30; int r3 1
         loop:
           call r4 callee r0 1
           add r1 r1 r4; add r0 r0 r3
           back-less r0 r2 loop
           null r4; set-global 1 r4
           return r1
         fn callee 6
           int r2 1; int r3 4; global r1 1
           jump-if r1 known
           this-frame r1; set-global 1 r1
         known:
         loop:
           frame-slot r4 r1 0; add r5 r5 r4; set-frame-slot r1 2 r2; add r5 r5 r2
           add r0 r0 r2; sub r3 r3 r2
           jump-if r3 on
           return r5
         on:
           back loop",
    ),
    (
        KEPT_AT_THE_END,
        "fn main 8
           int r0 0; int r2 40; int r3 1
         loop:
           move r4 r0; move r5 r3
           call r6 keeper r4 2
           add r1 r1 r6
           call r6 other r0 1
           add r1 r1 r6; global r5 1; frame-slot r6 r5 0; add r1 r1 r6; frame-slot r6 r5 2; add r1 r1 r6
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn keeper 6
           int r2 0; int r4 2
         loop:
           add r2 r2 r1
           and r5 r2 r4; jump-if r5 keep
           back loop
         keep:
           this-frame r5; set-global 1 r5
           move r5 r2
           add r4 r4 r2
           add r4 r4 r1
           add r4 r4 r5
           return r2
         fn other 6
           int r1 100; int r2 200; int r3 300; int r4 400; int r5 500
           add r0 r0 r1
           return r0",
    ),
    (
        "a note on the frame",
        "fn main 8
           int r0 0; int r2 60; int r3 1
         loop:
           note r0; noted r4; add r1 r1 r4; depth r5; add r1 r1 r5
           pair r6 r4 r5; note r6; call r7 inner r0 1
           noted r6; first r6 r6; add r1 r1 r6; add r1 r1 r7
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn inner 4
           note r0; int r1 1; and r2 r0 r1
           jump-if r2 on
           caller-slot r3 0; note r3
         on:
           noted r3; add r3 r3 r0
           return r3",
    ),
    (
        "a generator's body looks down at who resumed it",
        "fn main 8
           int r0 0; int r2 40; int r3 1; generator r4 body r0
         loop:
           resume r5 r4 r0
           add r1 r1 r5; add r1 r1 r6
           add r0 r0 r3
           back-less r0 r2 loop
           null r4
           return r1
         fn body 4
           int r1 1
         loop:
           caller-slot r2 0; add r0 r0 r2
           set-caller-slot 6 r0
           yield r3 r2
           back loop",
    ),
];
