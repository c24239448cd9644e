// Code that says itself what it executed: from when to when, and with which functions. "//@" is where a function's code begins.
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.IntUnaryOperator;

public class Interpreters {
    static final long NANOSECONDS = 400_000_000;
    static final List<String> said = Collections.synchronizedList(new ArrayList<>());
    static long sink;

    static String thread() {
        try {
            return Files.readSymbolicLink(Path.of("/proc/thread-self")).getFileName().toString();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    static void say(String tid, long begin, String what, String... functions) {
        long end = System.nanoTime();
        said.add(String.format("{\"tid\": %s, \"begin\": %d, \"end\": %d, \"what\": \"%s\", \"functions\": [\"%s\"]}",
                tid, begin, end, what, String.join("\", \"", functions)));
    }

    static String[] and(String[] functions, String... more) {
        List<String> all = new ArrayList<>(List.of(functions));
        all.addAll(List.of(more));
        return all.toArray(new String[0]);
    }

    static int step(int n) {
        return (n * 31 + 7) % 1_000_003; //@ step
    }

    static void counts(String what, String... callers) {
        String tid = thread(); //@ counts
        long begin = System.nanoTime(), until = begin + NANOSECONDS;
        int n = 1;
        while (System.nanoTime() < until) {
            for (int i = 0; i < 10_000; i++) {
                n = step(n);
            }
        }
        sink += n;
        say(tid, begin, what, and(callers, "counts"));
    }

    static void loop() {
        String tid = thread(); //@ loop
        long begin = System.nanoTime(), until = begin + NANOSECONDS;
        int n = 1;
        while (System.nanoTime() < until) {
            for (int i = 0; i < 10_000; i++) {
                n = (n * 31 + 7) % 1_000_003;
            }
        }
        sink += n;
        say(tid, begin, "loop", "main", "all", "loop");
    }

    static int render(int n) {
        int sum = n; //@ render
        for (int i = 0; i < 20_000; i++) {
            sum = (sum * 31 + i) % 1_000_003;
        }
        return sum;
    }

    static void compiled() {
        String tid = thread(); //@ compiled
        for (int round = 0; round < 2; round++) {
            long begin = System.nanoTime(), until = begin + NANOSECONDS;
            while (System.nanoTime() < until) {
                sink += render((int) sink & 1023);
            }
            say(tid, begin, round == 0 ? "first" : "compiled", "main", "all", "compiled");
        }
    }

    interface Shape {
        int area(int n);
    }

    static class Square implements Shape {
        public int area(int n) {
            int sum = n; //@ Square.area
            for (int i = 0; i < 20_000; i++) {
                sum = (sum * 31 + i) % 1_000_003;
            }
            return sum;
        }
    }

    static class Circle implements Shape {
        public int area(int n) {
            int sum = n; //@ Circle.area
            for (int i = 0; i < 20_000; i++) {
                sum = (sum * 17 + i) % 1_000_003;
            }
            return sum;
        }
    }

    static void measures(Shape shape, String what) {
        String tid = thread(); //@ measures
        long begin = System.nanoTime(), until = begin + NANOSECONDS;
        while (System.nanoTime() < until) {
            sink += shape.area((int) sink & 1023);
        }
        say(tid, begin, what, "main", "all", "deoptimises", "measures");
    }

    // The second shape takes back what was compiled for one.
    static void deoptimises() throws Exception {
        measures(new Square(), "one class"); //@ deoptimises
        measures((Shape) Class.forName("Interpreters$Circle").getDeclaredConstructor().newInstance(), "another class");
    }

    static void lambdas() {
        IntUnaryOperator inner = n -> { //@ lambdas
            counts("lambda", "main", "all", "lambdas", "lambda$lambdas$0"); //@ lambda$lambdas$0
            return n;
        };
        sink += inner.applyAsInt(1);
    }

    static void deep(int n) {
        if (n > 0) { //@ deep
            deep(n - 1);
            return;
        }
        List<String> callers = new ArrayList<>(List.of("main", "all"));
        callers.addAll(Collections.nCopies(21, "deep"));
        counts("deep", callers.toArray(new String[0]));
    }

    static void waits(String what, String... callers) throws InterruptedException {
        String tid = thread(); //@ waits
        for (int i = 0; i < 200; i++) {
            long begin = System.nanoTime();
            Thread.sleep(5);
            say(tid, begin, what, and(callers, "waits"));
        }
    }

    static void takes() throws InterruptedException {
        LinkedBlockingQueue<Integer> queue = new LinkedBlockingQueue<>(); //@ takes
        Thread other = new Thread(() -> {
            for (int i = 0; i < 100; i++) { //@ lambda$takes$1
                try {
                    Thread.sleep(5);
                } catch (InterruptedException e) {
                    return;
                }
                queue.add(i);
            }
        });
        other.start();
        String tid = thread();
        for (int i = 0; i < 100; i++) {
            long begin = System.nanoTime();
            sink += queue.take();
            say(tid, begin, "wait for a queue", "main", "all", "takes");
        }
        other.join();
    }

    static void threads() throws InterruptedException {
        List<Thread> all = new ArrayList<>(); //@ threads
        for (int i = 0; i < 2; i++) {
            all.add(new Thread(() -> counts("threads", "lambda$threads$2"))); //@ lambda$threads$2
        }
        for (Thread each : all) {
            each.start();
        }
        for (Thread each : all) {
            each.join();
        }
    }

    // Each is loaded anew, executed until it is compiled, and forgotten.
    public static class Guest {
        public static int work(int n) {
            int sum = n; //@ Guest.work
            for (int i = 0; i < 20_000; i++) {
                sum = (sum * 13 + i) % 1_000_003;
            }
            return sum;
        }
    }

    static class Loader extends ClassLoader {
        final byte[] code;

        Loader(byte[] code) {
            super(Loader.class.getClassLoader());
            this.code = code;
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            return name.equals("Interpreters$Guest") ? defineClass(name, code, 0, code.length) : super.loadClass(name, resolve);
        }
    }

    static void guests() throws Exception {
        byte[] code;
        try (var in = Interpreters.class.getResourceAsStream("Interpreters$Guest.class")) { //@ guests
            code = in.readAllBytes();
        }
        String tid = thread();
        for (int i = 0; i < 8; i++) {
            Method work = new Loader(code).loadClass("Interpreters$Guest").getMethod("work", int.class);
            long begin = System.nanoTime(), until = begin + NANOSECONDS / 2;
            while (System.nanoTime() < until) {
                sink += (Integer) work.invoke(null, (int) sink & 1023);
            }
            say(tid, begin, "guest", "main", "all", "guests");
            work = null;
            System.gc();
            compiles(i);
        }
    }

    static void compiles(int n) {
        String tid = thread(); //@ compiles
        long begin = System.nanoTime(), until = begin + NANOSECONDS / 4;
        Shape shape = n % 2 == 0 ? new Circle() : new Square();
        while (System.nanoTime() < until) {
            sink += shape.area((int) sink & 1023);
        }
        say(tid, begin, "after a guest", "main", "all", "guests", "compiles");
    }

    static void all() throws Exception {
        waits("first wait", "main", "all"); //@ all
        loop();
        compiled();
        counts("counts", "main", "all");
        deoptimises();
        lambdas();
        deep(20);
        threads();
        guests();
        waits("wait", "main", "all");
        takes();
    }

    public static void main(String[] arguments) throws Exception {
        all(); //@ main
        Files.writeString(Path.of(arguments[0]), "[" + String.join(",\n", said) + "]");
    }
}
