//! Frames that are looked at now and then, in calls whose recording nobody looked in: sentences of the design's
//! section on virtualizables. When they look is computed without a guard.

use super::Text;

pub const PROGRAMS: &[Text] = &[
    (
        "a reader outside, from the middle of the loop, sees the current registers",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r7 23
         loop:
           mod r8 r0 r7
           add r4 r0 r0; same r6 r8 r9; slot-if r5 4 r6; add r1 r1 r5; slot-if r5 0 r6; add r1 r1 r5
           walk-if r5 r6; add r1 r1 r5
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "what a reader got through the frame is the object the loop goes on with, its changes are seen",
        "fn main 11
           int r0 0; int r2 60; int r3 1; int r7 13
         loop:
           mod r8 r0 r7; same r6 r8 r10
           pair r4 r0 r3
           slot-if r5 4 r6; same r9 r4 r5; add r1 r1 r9
           jump-if r6 seen
         on:
           first r9 r4; add r1 r1 r9; second r9 r4; add r1 r1 r9
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         seen:
           set-second r5 r2
           jump on",
    ),
    (
        "the object was made in the instruction that is looked at, and is known by several ways",
        "fn main 13
           int r0 0; int r2 60; int r3 1; int r7 13
         loop:
           mod r8 r0 r7; same r6 r8 r12
         both:
           pair r4 r0 r3; cell r10 r4; pair r11 r4 r10; slot-if r5 11 r6; set-first r4 r2; cell-get r9 r10; same r9 r9 r4; add r1 r1 r9; assert r6 r3; first r9 r4; add r1 r1 r9
         after:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           first r9 r11; first r9 r9; add r1 r1 r9; add r1 r1 r3
           jump after
           try both after r9 caught",
    ),
    (
        "a writer outside is seen by the loop",
        "fn main 11
           int r0 0; int r2 60; int r3 1; int r7 17
         loop:
           mod r8 r0 r7; same r6 r8 r10
           add r4 r0 r3; move r5 r3; set-slot-if 4 r2 r6; add r1 r1 r4; add r1 r1 r5
           set-slot-if 5 r0 r6; add r1 r1 r5
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "written, looked at, written, then a guard, in one step",
        "fn main 11
           int r0 0; int r2 60; int r3 1; int r7 11; int r9 2
         loop:
           mod r8 r0 r7; same r6 r8 r10; mod r5 r0 r9
         both:
           move r4 r2; set-slot-if 4 r0 r6; add r1 r1 r4; move r4 r3; slot-if r8 4 r6; assert r5 r3; add r1 r1 r8
         after:
           add r1 r1 r4; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           add r1 r1 r4
           jump after
           try both after r8 caught",
    ),
    (
        "forced, then raised through the loop",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r5 9
         loop:
           mod r6 r0 r5; same r6 r6 r9
         both:
           add r1 r1 r3; raise-if 4 r6; add r1 r1 r4
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
        "forced, then raised through inlined calls",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r5 9
         loop:
           mod r6 r0 r5; same r6 r6 r9
         both:
           call r4 middle r6 1
         after:
           add r1 r1 r4; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         caught:
           add r1 r1 r7
           jump after
           try both after r7 caught
         fn middle 3
           call r1 inner r0 1
           add r1 r1 r1
           return r1
         fn inner 3
           raise-if 1 r0
           int r1 5
           return r1",
    ),
    (
        "forced from a bridge",
        "fn main 11
           int r0 0; int r2 90; int r3 1; int r5 3; int r7 29
         loop:
           mod r6 r0 r5; mod r8 r0 r7; same r8 r8 r10
           jump-if r6 other
           add r1 r1 r0
           jump on
         other:
           pair r4 r0 r6; slot-if r9 0 r8; add r1 r1 r9; set-slot-if 1 r6 r8; first r9 r4; add r1 r1 r9
         on:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
    (
        "an inlined callee's frame is there when someone walks the chain",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r7 19
         loop:
           mod r6 r0 r7; same r6 r6 r9
           call r4 middle r0 2
           add r1 r1 r4; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn middle 5
           int r3 77; mod r1 r0 r3; int r2 19; mod r1 r0 r2; int r2 1; same r1 r1 r4
           call r3 inner r0 2
           add r3 r3 r1
           return r3
         fn inner 5
           int r2 5; add r3 r0 r2; walk-if r4 r1; chain-if r1; add r3 r3 r4
           caller-slot-if r4 3 r1; add r3 r3 r4
           return r3",
    ),
    (
        "a callee writes its caller's registers, the caller is the trace's own frame or an inlined one",
        "fn main 11
           int r0 0; int r2 60; int r3 1; int r7 14
         loop:
           mod r6 r0 r7; same r6 r6 r10; pair r8 r0 r0
           call r4 middle r0 1
         after:
           add r1 r1 r4; first r9 r8; add r1 r1 r9; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn middle 7
           int r2 14; mod r1 r0 r2; int r3 1; same r1 r1 r6; int r4 6
           set-caller-slot-if 1 r0 r1
           call r5 inner r0 2
           add r4 r4 r5
           return r4
         fn inner 4
           set-caller-slot-if 4 r0 r1; caller-slot-if r3 4 r1; add r3 r3 r0
           return r3",
    ),
    (
        "two frames of one type",
        "fn main 10
           int r0 0; int r2 40; int r3 1; int r7 9
         loop:
           mod r6 r0 r7; same r6 r6 r9
           call r4 callee r0 1
           slot-if r5 0 r6; add r1 r1 r5; add r1 r1 r4
           global r8 1; jump-if r8 known
           this-frame r8; set-global 1 r8
         known:
           frame-slot r5 r8 0; add r1 r1 r5
           add r0 r0 r3
           back-less r0 r2 loop
           null r8; set-global 1 r8
           return r1
         fn callee 7
           int r1 9; mod r1 r0 r1; int r2 1; same r1 r1 r6
           grab-if r3 r1; jump-if r3 grabbed
           slot-if r4 0 r1; add r4 r4 r0
           return r4
         grabbed:
           frame-slot r4 r3 0; set-frame-slot r3 5 r4; add r4 r4 r5
           return r4",
    ),
    (
        "a frame that is kept after its call",
        "fn main 10
           int r0 0; int r2 60; int r3 1; int r7 11
         loop:
           mod r6 r0 r7; same r6 r6 r9
           call r4 callee r0 1
           jump-if r6 kept
           add r1 r1 r4
           jump on
         kept:
           frame-slot r5 r4 0; add r1 r1 r5; frame-slot r5 r4 2; add r1 r1 r5; set-global 2 r4
         on:
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn callee 6
           int r1 11; mod r1 r0 r1; int r2 1; same r1 r1 r5; add r2 r0 r0
           grab-if r3 r1; add r2 r2 r2
           jump-if r3 frame
           return r2
         frame:
           return r3",
    ),
    (
        "entries that are called look at themselves and at who called them",
        "fn main 8
           int r0 1; int r2 30; int r3 1
         loop:
           pair r6 r0 r0; call r4 not-inlined-a r0 1
           add r1 r1 r4; add r1 r1 r5; first r7 r6; add r1 r1 r7; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn not-inlined-a 6
           add r2 r0 r0; pair r3 r0 r2
           call r4 not-inlined-b r0 1
           first r5 r3; add r4 r4 r5; add r4 r4 r2
           return r4
         fn not-inlined-b 7
           int r1 8; mod r1 r0 r1; int r2 1; same r1 r1 r6
           walk-if r3 r1; caller-slot-if r4 2 r1; add r3 r3 r4; set-caller-slot-if 2 r0 r1
           add r3 r3 r0
           return r3",
    ),
    (
        "recursion, looked at from its depth",
        "fn main 8
           int r0 1; int r2 25; int r3 1; int r4 4
         loop:
           int r6 7; mod r5 r0 r6; same r5 r5 r7; call r6 down r4 2
           add r1 r1 r6; add r0 r0 r3; add r4 r4 r3; int r5 7; mod r4 r4 r5
           back-less r0 r2 loop
           return r1
         fn down 8
           jump-if r0 more
           walk-if r2 r1; int r3 1; add r2 r2 r3
           return r2
         more:
           int r7 1; sub r2 r0 r7; move r3 r1; pair r4 r0 r2
           call r5 down r2 2
           first r6 r4; add r5 r5 r6; slot-if r6 0 r1; add r5 r5 r6
           return r5",
    ),
    (
        "a nested run reads and writes frames of the one that waits",
        "fn main 10
           int r0 0; int r2 40; int r3 1; int r7 13
           this-frame r5; set-global 1 r5
         loop:
           mod r6 r0 r7; same r6 r6 r9; pair r4 r0 r3
           nested-if r8 other r6; add r1 r1 r8; first r8 r4; add r1 r1 r8
           add r0 r0 r3
           back-less r0 r2 loop
           null r5; set-global 1 r5
           return r1
         fn other 8
           global r1 1; frame-slot r2 r1 0; frame-slot r3 r1 4; int r4 900; set-first r3 r4
           frame-slot r5 r1 1; add r5 r5 r2; set-frame-slot r1 1 r5
           int r6 0; int r7 4
         again:
           add r6 r6 r0; add r2 r2 r6
           back-less r6 r7 again
           return r2",
    ),
    (
        "a nested run is looked at in its turn",
        "fn main 10
           int r0 0; int r2 40; int r3 1; int r7 13
         loop:
           mod r6 r0 r7; same r6 r6 r9; pair r4 r0 r3
           nested-if r8 other r6; add r1 r1 r8; slot-if r8 0 r6; add r1 r1 r8
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn other 9
           int r2 0; int r6 0; int r7 14; int r4 5
         again:
           add r6 r6 r0; mod r5 r6 r4; same r5 r5 r8; walk-if r3 r5; add r2 r2 r3
           back-less r6 r7 again
           return r2",
    ),
    (
        "the trace becomes invalid while it waits",
        "fn main 11
           int r0 0; int r2 60; int r3 1; int r7 13; config r4 r3; set-global 2 r4
         loop:
           mod r8 r0 r7; same r6 r8 r10; pair r9 r0 r3; version r5 r4; add r1 r1 r5
           nested-if r8 other r6; add r1 r1 r8; version r5 r4; add r1 r1 r5
           first r9 r9; add r1 r1 r9; add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn other 3
           global r1 2; version r2 r1; add r2 r2 r0; set-version r1 r2
           return r2",
    ),
    (
        "a frame that begins to escape every time",
        "fn main 8
           int r0 0; int r2 60; int r3 1; int r5 20
         loop:
           div r6 r0 r5; slot-if r4 0 r6; add r1 r1 r4; set-slot-if 7 r0 r6; add r1 r1 r7
           call r4 callee r6 1; add r1 r1 r4
           add r0 r0 r3
           back-less r0 r2 loop
           return r1
         fn callee 3
           walk-if r1 r0
           return r1",
    ),
    (
        "a generator's body looks down at who resumed it, now and then",
        "fn main 10
           int r0 0; int r2 40; int r3 1; int r7 7; generator r4 body r0
         loop:
           resume r5 r4 r0
           add r1 r1 r5; add r1 r1 r6; mod r8 r0 r7; same r8 r8 r9; slot-if r8 0 r8; add r1 r1 r8
           add r0 r0 r3
           back-less r0 r2 loop
           null r4
           return r1
         fn body 7
           int r1 1; int r4 7
         loop:
           mod r5 r0 r4; same r5 r5 r6
           caller-slot-if r2 0 r5; add r0 r0 r2
           set-caller-slot-if 6 r0 r5
           yield r3 r2
           back loop",
    ),
];
