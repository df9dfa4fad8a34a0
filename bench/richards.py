# richards.pyl in Python.
IDLE, WORKER, HANDLER_A, HANDLER_B, DEVICE_A, DEVICE_B = range(6)
DEVICE_PACKET, WORK_PACKET = range(2)
WORDS = 4


class Packet:
    def __init__(self, link, owner, kind):
        self.link = link
        self.owner = owner
        self.kind = kind
        self.datum = 0
        self.data = [0] * WORDS


def append(packet, queue):
    packet.link = None
    if queue is None:
        return packet
    last = queue
    while last.link is not None:
        last = last.link
    last.link = packet
    return queue


class Task:
    def __init__(self, scheduler, id, priority, queue, waiting):
        self.scheduler = scheduler
        self.id = id
        self.priority = priority
        self.queue = queue
        self.waiting = waiting
        self.held = False
        self.next = scheduler.first
        scheduler.first = self
        scheduler.tasks[id] = self

    def run(self):
        packet = None
        if self.waiting:
            packet = self.queue
            self.queue = packet.link
            self.waiting = False
        return self.work(packet)

    # Puts a packet in; whoever is more urgent runs next.
    def add(self, packet, current):
        if self.queue is None:
            self.queue = packet
            if self.priority > current.priority:
                return self
        else:
            append(packet, self.queue)
        return current


class Idle(Task):
    def __init__(self, scheduler, count):
        Task.__init__(self, scheduler, IDLE, 0, None, False)
        self.control = 1
        self.count = count

    def work(self, packet):
        self.count -= 1
        if self.count == 0:
            return self.scheduler.hold()
        if self.control & 1 == 0:
            self.control //= 2
            return self.scheduler.release(DEVICE_A)
        self.control = self.control // 2 ^ 53256
        return self.scheduler.release(DEVICE_B)


class Worker(Task):
    def __init__(self, scheduler, priority, queue):
        Task.__init__(self, scheduler, WORKER, priority, queue, True)
        self.handler = HANDLER_A
        self.letter = 0

    def work(self, packet):
        if packet is None:
            return self.scheduler.wait()
        self.handler = HANDLER_A + HANDLER_B - self.handler
        packet.owner = self.handler
        packet.datum = 0
        for i in range(WORDS):
            self.letter += 1
            if self.letter > 26:
                self.letter = 1
            packet.data[i] = 64 + self.letter
        return self.scheduler.send(packet)


class Handler(Task):
    def __init__(self, scheduler, id, priority, queue):
        Task.__init__(self, scheduler, id, priority, queue, True)
        self.works = None
        self.devices = None

    def work(self, packet):
        if packet is not None:
            if packet.kind == WORK_PACKET:
                self.works = append(packet, self.works)
            else:
                self.devices = append(packet, self.devices)
        work = self.works
        if work is not None:
            count = work.datum
            if count >= WORDS:
                self.works = work.link
                return self.scheduler.send(work)
            device = self.devices
            if device is not None:
                self.devices = device.link
                device.datum = work.data[count]
                work.datum = count + 1
                return self.scheduler.send(device)
        return self.scheduler.wait()


class Device(Task):
    def __init__(self, scheduler, id, priority):
        Task.__init__(self, scheduler, id, priority, None, True)
        self.pending = None

    def work(self, packet):
        if packet is not None:
            self.pending = packet
            return self.scheduler.hold()
        packet = self.pending
        if packet is None:
            return self.scheduler.wait()
        self.pending = None
        return self.scheduler.send(packet)


class Scheduler:
    def __init__(self):
        self.tasks = [None] * 6
        self.first = None
        self.current = None
        self.sent = 0
        self.holds = 0

    def hold(self):
        self.holds += 1
        self.current.held = True
        return self.current.next

    def wait(self):
        self.current.waiting = True
        return self.current

    def release(self, id):
        task = self.tasks[id]
        task.held = False
        if task.priority > self.current.priority:
            return task
        return self.current

    def send(self, packet):
        task = self.tasks[packet.owner]
        self.sent += 1
        packet.link = None
        packet.owner = self.current.id
        return task.add(packet, self.current)

    def schedule(self):
        task = self.first
        while task is not None:
            if task.held or (task.waiting and task.queue is None):
                task = task.next
            else:
                self.current = task
                task = task.run()


def packets(count, owner, kind):
    queue = None
    for _ in range(count):
        queue = Packet(queue, owner, kind)
    return queue


def run(count, holds):
    scheduler = Scheduler()
    Idle(scheduler, count)
    Worker(scheduler, 1000, packets(2, WORKER, WORK_PACKET))
    Handler(scheduler, HANDLER_A, 2000, packets(3, DEVICE_A, DEVICE_PACKET))
    Handler(scheduler, HANDLER_B, 3000, packets(3, DEVICE_B, DEVICE_PACKET))
    Device(scheduler, DEVICE_A, 4000)
    Device(scheduler, DEVICE_B, 5000)
    scheduler.schedule()
    assert scheduler.holds == holds
    return scheduler.sent


def main(rounds, count, holds, expected):
    for round in range(rounds):
        assert run(count, holds) == expected
        print(round)


main(150, 10000, 9297, 23246)
