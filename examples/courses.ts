// Course subscriptions, the example of dcb.events: a course has so many seats, a student takes so many courses. The rules span
// both, and belong to no stream: what is decided on is what a query finds.
import { EventStore, defineAggregate, defineEvents, eventType } from "everfold";

const SEATS = 3;
const COURSES_PER_STUDENT = 2;

const events = defineEvents({
  CourseDefined: eventType<{ course: string; seats: number }>({ tags: ({ course }) => [`course:${course}`] }),
  StudentSubscribed: eventType<{ course: string; student: string }>({
    tags: ({ course, student }) => [`course:${course}`, `student:${student}`],
  }),
});

const Seats = defineAggregate({
  name: "seats",
  events,
  initial: () => ({ free: 0, students: [] as readonly string[] }),
  evolve: {
    CourseDefined: (course, { data }) => ({ ...course, free: data.seats }),
    StudentSubscribed: ({ free, students }, { data }) => ({ free: free - 1, students: [...students, data.student] }),
  },
});

const Subscriptions = defineAggregate({
  name: "subscriptions",
  events,
  initial: () => 0,
  evolve: { StudentSubscribed: (count) => count + 1 },
});

const store = await EventStore.open("courses", { events, storage: "auto" });
const term = crypto.randomUUID();

function subscribe(student: string, course: string) {
  return store.transact(
    async (tx) => {
      const { state: seats } = await tx.load(Seats, { query: { tags: [`course:${course}`] } });
      const { state: taken } = await tx.load(Subscriptions, { query: { types: ["StudentSubscribed"], tags: [`student:${student}`] } });
      if (seats.students.includes(student)) throw new Error("is subscribed already");
      if (seats.free <= 0) throw new Error("no seat is left");
      if (COURSES_PER_STUDENT <= taken) throw new Error("takes enough courses");
      tx.append(`subscription-${student}`, { type: "StudentSubscribed", data: { course, student } });
    },
    { retries: 50 },
  );
}

const courses = ["logic", "music", "botany"].map((name) => `${name} ${term}`);
const students = ["ada", "eve", "joe", "sam"].map((name) => `${name} ${term}`);
for (const course of courses) await store.append(`course-${course}`, { type: "CourseDefined", data: { course, seats: SEATS } });

// Everybody wants everything, at the same time.
const wishes = students.flatMap((student) => courses.map((course) => subscribe(student, course)));
const outcomes = await Promise.allSettled(wishes);
console.log(outcomes.filter(({ status }) => status === "fulfilled").length <= students.length * COURSES_PER_STUDENT); // → true

let seatsLeft = 0;
for (const course of courses) {
  const { state } = await store.load(Seats, { query: { tags: [`course:${course}`] } });
  if (state.free < 0 || new Set(state.students).size !== state.students.length) throw new Error("a rule was broken");
  seatsLeft += state.free;
}
for (const student of students) {
  const { state } = await store.load(Subscriptions, { query: { types: ["StudentSubscribed"], tags: [`student:${student}`] } });
  if (COURSES_PER_STUDENT < state) throw new Error("a rule was broken");
}
console.log(courses.length * SEATS - seatsLeft === outcomes.filter(({ status }) => status === "fulfilled").length); // → true
await store.close();
